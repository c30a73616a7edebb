//! In a component: `wasi:http/outgoing-handler@0.2`.
//!
//! The host ends every wait at once when the call is cancelled, so a wait that brought nothing is looked at: the call
//! may be over.

use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, Method as WasiMethod, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::{Failure, Incoming, Method, Outgoing};
use crate::host;

/// How much is read in one call of the host.
const CHUNK: u64 = 256 * 1024;

/// The end of the whole request, and whether the call was over before it began (it cleans up then).
struct Patience {
    timer: Option<Pollable>,
    cancelled_before: bool,
}

impl Patience {
    /// Waits until `ready` may have something.
    fn wait(&self, ready: &Pollable) -> Result<(), Failure> {
        match &self.timer {
            None => ready.block(),
            Some(timer) => {
                // Index 0 is `ready`: what is there is taken, also at the last moment.
                if !poll(&[ready, timer]).contains(&0) {
                    return Err(Failure::Timeout);
                }
            }
        }
        if !self.cancelled_before && host::cancelled() && !ready.ready() {
            return Err(Failure::Timeout);
        }
        Ok(())
    }
}

pub(crate) fn send(request: &Outgoing) -> Result<Incoming, Failure> {
    let nanoseconds = request.timeout.map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    let patience = Patience {
        timer: nanoseconds.map(monotonic_clock::subscribe_duration),
        cancelled_before: host::cancelled(),
    };

    let outgoing = build(request)?;
    // A body that is taken is sent, even an empty one, and a GET with a body confuses servers.
    let body = match &request.body {
        Some(bytes) => Some((outgoing.body().map_err(|()| unsendable("its body was taken"))?, bytes)),
        None => None,
    };
    let options = nanoseconds.map(timeouts).transpose()?;
    // The host reads the body only once the request is on its way.
    let answer = outgoing_handler::handle(outgoing, options).map_err(|code| failure(&code))?;
    // Any other failure is the upstream's that answers and closes before it has read everything. Its answer counts
    // then, and if there is none, reading says why.
    if let Some((body, bytes)) = body
        && let Err(Failure::Timeout) = write(&patience, body, bytes)
    {
        return Err(Failure::Timeout);
    }
    read(&patience, &answer)
}

fn build(request: &Outgoing) -> Result<OutgoingRequest, Failure> {
    let mut headers: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    if let Some(body) = &request.body {
        headers.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    }
    // The host may forbid a header that it owns; what it forbids would not have left it anyway.
    let fields = Fields::from_list(&headers).or_else(|_| {
        let fields = Fields::new();
        for (name, value) in &headers {
            let _ = fields.append(name, value);
        }
        Ok(fields)
    })?;
    let outgoing = OutgoingRequest::new(fields);
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Head => WasiMethod::Head,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
    };
    let scheme = if request.base.https { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method).map_err(|()| unsendable("the method is refused"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| unsendable("the scheme is refused"))?;
    outgoing
        .set_authority(Some(&request.base.authority))
        .map_err(|()| unsendable("the host's name is refused"))?;
    outgoing
        .set_path_with_query(Some(&request.path_with_query()))
        .map_err(|()| unsendable("the path is refused"))?;
    Ok(outgoing)
}

fn timeouts(nanoseconds: u64) -> Result<RequestOptions, Failure> {
    let options = RequestOptions::new();
    let refused = |()| unsendable("the timeout is refused");
    options.set_connect_timeout(Some(nanoseconds)).map_err(refused)?;
    options.set_first_byte_timeout(Some(nanoseconds)).map_err(refused)?;
    options.set_between_bytes_timeout(Some(nanoseconds)).map_err(refused)?;
    Ok(options)
}

fn write(patience: &Patience, body: OutgoingBody, mut bytes: &[u8]) -> Result<(), Failure> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| unsendable("its body was taken"))?;
        let ready = stream.subscribe();
        while !bytes.is_empty() {
            let room = room(patience, &stream, &ready)?.min(bytes.len());
            let (now, later) = bytes.split_at(room);
            stream.write(now).map_err(broken)?;
            bytes = later;
        }
        stream.flush().map_err(broken)?;
        room(patience, &stream, &ready)?;
    }
    OutgoingBody::finish(body, None).map_err(|code| failure(&code))
}

/// How many bytes the stream takes now; waits until there are some.
fn room(patience: &Patience, stream: &OutputStream, ready: &Pollable) -> Result<usize, Failure> {
    loop {
        match stream.check_write().map_err(broken)? {
            0 => patience.wait(ready)?,
            room => return Ok(usize::try_from(room).unwrap_or(usize::MAX)),
        }
    }
}

fn read(patience: &Patience, answer: &FutureIncomingResponse) -> Result<Incoming, Failure> {
    let ready = answer.subscribe();
    let response = loop {
        match answer.get() {
            Some(Ok(response)) => break response.map_err(|code| failure(&code))?,
            Some(Err(())) => return Err(unsendable("its answer was taken")),
            None => patience.wait(&ready)?,
        }
    };
    let status = response.status();
    let headers = response.headers().entries();
    let body = response.consume().map_err(|()| unsendable("its answer was taken"))?;
    let bytes = {
        let stream = body.stream().map_err(|()| unsendable("its answer was taken"))?;
        read_all(patience, &stream)?
    };
    drop(IncomingBody::finish(body));
    Ok(Incoming { status, headers, body: bytes })
}

fn read_all(patience: &Patience, stream: &InputStream) -> Result<Vec<u8>, Failure> {
    let ready = stream.subscribe();
    let mut bytes = Vec::new();
    loop {
        match stream.read(CHUNK) {
            Ok(chunk) if chunk.is_empty() => patience.wait(&ready)?,
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(broken(error)),
        }
    }
}

fn unsendable(why: &str) -> Failure {
    Failure::Unsendable(why.to_owned())
}

fn broken(error: StreamError) -> Failure {
    match error {
        StreamError::Closed => Failure::Unreachable("the connection was closed".to_owned()),
        StreamError::LastOperationFailed(error) => match http_error_code(&error) {
            Some(code) => failure(&code),
            None => Failure::Unreachable(error.to_debug_string()),
        },
    }
}

fn failure(code: &ErrorCode) -> Failure {
    let unreachable = |why: &str| Failure::Unreachable(why.to_owned());
    let too_large = |what: &str| Failure::TooLarge(what.to_owned());
    let malformed = |why: &str| Failure::Malformed(why.to_owned());
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failure::Denied,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Failure::Timeout,
        ErrorCode::DnsError(_) => unreachable("its name cannot be resolved"),
        ErrorCode::DestinationNotFound => unreachable("it was not found"),
        ErrorCode::DestinationUnavailable => unreachable("it is not available"),
        ErrorCode::DestinationIpUnroutable => unreachable("there is no route to it"),
        ErrorCode::ConnectionRefused => unreachable("the connection was refused"),
        ErrorCode::ConnectionTerminated => unreachable("the connection was closed"),
        ErrorCode::ConnectionLimitReached => unreachable("too many connections are open"),
        ErrorCode::HttpResponseIncomplete => unreachable("the answer broke off"),
        ErrorCode::TlsCertificateError => malformed("its TLS certificate is not trusted"),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => malformed("TLS failed"),
        ErrorCode::HttpResponseBodySize(_) => too_large("its body is over the limit"),
        ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_) => too_large("its header is over the limit"),
        ErrorCode::HttpResponseTransferCoding(_) | ErrorCode::HttpResponseContentCoding(_) => {
            malformed("its coding is not understood")
        }
        ErrorCode::HttpProtocolError | ErrorCode::HttpUpgradeFailed => malformed("it is not proper HTTP"),
        ErrorCode::LoopDetected => malformed("it redirects in a circle"),
        ErrorCode::HttpRequestLengthRequired => unsendable("its length is missing"),
        ErrorCode::HttpRequestBodySize(_) => unsendable("its body is over the limit"),
        ErrorCode::HttpRequestMethodInvalid => unsendable("the method is refused"),
        ErrorCode::HttpRequestUriInvalid => unsendable("the path is refused"),
        ErrorCode::HttpRequestUriTooLong => unsendable("the path is too long"),
        ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_) => unsendable("its header is over the limit"),
        ErrorCode::ConfigurationError => unreachable("the host is not set up for it"),
        ErrorCode::InternalError(why) => {
            Failure::Unreachable(why.clone().unwrap_or_else(|| "the host failed".to_owned()))
        }
    }
}
