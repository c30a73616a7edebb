//! One request of a guest, from the decision to the head of the response.
//!
//! [`decide`] → body gathered → credential added → connection → response → perhaps a redirect, which begins again at
//! the decision → [`answer`].

use std::sync::Arc;

use fleetgate_core::address::Unreached;
use fleetgate_core::capability::{Refusal, Refusals};
use fleetgate_core::mask::Mask;
use fleetgate_core::sandbox::{CallInfo, CutShort};
use futures_util::future::BoxFuture;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::answer::{Terms, answer};
use crate::body::RequestBody;
use crate::connect::ConnectFailed;
use crate::credential::Injected;
use crate::decode::Coding;
use crate::failure::Failure;
use crate::fill::{self, Basic};
use crate::guard::{Allowed, Asker, Routes, Target, Via, decide};
use crate::headers::{clean_request, keep_for_strangers, without_body, without_range};
use crate::pool::Arriving;
use crate::redirect::{self, MOST_HOPS};

/// Requests that a call may have under way at once.
pub const MOST_AT_ONCE: usize = 16;

/// Some servers answer nobody who does not say who asks.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("fleetgate/", env!("CARGO_PKG_VERSION")));

/// What a redirect's own body may have for the connection to be kept, in bytes.
const DRAINED: u64 = 16 << 10;

/// What one call sends requests with.
pub struct Session {
    routes: Arc<Routes>,
    /// The most bytes of a request's body.
    request_body: u64,
    call: Arc<CallInfo>,
    under_way: Arc<Semaphore>,
    refusals: Arc<Refusals>,
}

impl Session {
    pub(crate) fn new(routes: Arc<Routes>, request_body: u64, call: Arc<CallInfo>) -> Self {
        let under_way = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self { routes, request_body, call, under_way, refusals: Arc::default() }
    }

    /// Sends a request as the guest made it. Used and refused requests are noted in the call.
    pub fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> BoxFuture<'static, Result<Response<WasiBody>, Failure>> {
        let exchange = Exchange {
            routes: Arc::clone(&self.routes),
            call: Arc::clone(&self.call),
            request_body: self.request_body,
            refusals: Arc::clone(&self.refusals),
            options,
        };
        let permit = Arc::clone(&self.under_way).try_acquire_owned();
        Box::pin(async move {
            let outcome = match permit {
                Ok(permit) => exchange.run(request, permit).await,
                Err(_) => Err(Failure::TooManyAtOnce(MOST_AT_ONCE)),
            };
            outcome.inspect_err(|failure| exchange.record(failure))
        })
    }
}

struct Exchange {
    routes: Arc<Routes>,
    call: Arc<CallInfo>,
    request_body: u64,
    refusals: Arc<Refusals>,
    options: RequestOptions,
}

/// The request as it is before one hop.
struct Hop {
    method: Method,
    headers: HeaderMap,
    body: RequestBody,
    allowed: Allowed,
    /// Secret arguments stand in the body.
    filled: bool,
    basic: Option<Arc<Basic>>,
    /// Another origin was passed: nothing that was meant for the first one goes along any more.
    stranger: bool,
}

impl Exchange {
    async fn run(
        &self,
        request: Request<WasiBody>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Response<WasiBody>, Failure> {
        let (head, body) = request.into_parts();
        let allowed = self.decide(Via::Guest, &head.method, &head.uri)?;
        // Its response must be read by then, too.
        let time = self.call.time_for(allowed.route.timeout);
        let end = Instant::now() + time;
        let mut headers = head.headers;
        let basic = Basic::take(&mut headers);
        clean_request(&mut headers);
        let secrets = &self.call.secrets;
        fill::check(&head.uri, &headers, &allowed, secrets).map_err(Failure::Refused)?;
        let basic = basic.map(|asked| Basic::of(&asked, &allowed, secrets)).transpose();
        let basic = basic.map_err(Failure::Refused)?.map(Arc::new);
        let work = async {
            let (body, filled) = self.body(body, &headers, &allowed).await?;
            if body.again().is_some() {
                // All of it is here, and hyper states its true length.
                headers.remove(CONTENT_LENGTH);
            }
            let method = head.method;
            self.hops(Hop { method, headers, body, filled, basic, allowed, stranger: false }).await
        };
        let (response, method, mask) = match self.call.in_time(Some(time), work).await {
            Ok(arrived) => arrived?,
            Err(CutShort::Time) => return Err(Failure::Timeout),
            Err(CutShort::Cancelled) => return Err(Failure::Cancelled),
        };
        let terms = Terms { mask, end, pause: self.options.between_bytes_timeout, permit };
        answer(response, &method, &self.call, terms).map_err(Failure::Other)
    }

    /// The body as it is sent, and whether it has secret arguments in it.
    async fn body(
        &self,
        body: WasiBody,
        headers: &HeaderMap,
        allowed: &Allowed,
    ) -> Result<(RequestBody, bool), Failure> {
        let secrets = &self.call.secrets;
        if fill::wants_body(headers, allowed, secrets) {
            let most = self.request_body.min(fill::MOST);
            let whole = RequestBody::whole(body, most).await.map_err(Failure::Other)?;
            let filled = fill::body(&whole, allowed, secrets).map_err(Failure::Refused)?;
            let is_filled = filled.is_some();
            return Ok((RequestBody::of(filled.unwrap_or(whole)), is_filled));
        }
        let body = RequestBody::gather(body, self.request_body).await.map_err(Failure::Other)?;
        if !secrets.is_empty() {
            // What streams on behind it is not looked at: a placeholder there is sent as the text that it is.
            fill::check_body(&body.beginning(), allowed, secrets).map_err(Failure::Refused)?;
        }
        Ok((body, false))
    }

    /// What must not be read of what comes back.
    fn mask(&self, injected: Option<&Injected>, basic: Option<&Basic>) -> Option<Arc<Mask>> {
        let secrets = &self.call.secrets;
        if secrets.is_empty() {
            return injected.and_then(|injected| injected.mask.clone());
        }
        let credential = injected.into_iter().flat_map(Injected::values);
        let basic = basic.into_iter().flat_map(Basic::values);
        Mask::new(credential.chain(basic).chain(secrets.values()))
    }

    fn decide(&self, via: Via, method: &Method, uri: &http::Uri) -> Result<Allowed, Failure> {
        let asker = Asker { granted: &self.call.granted, policy: &self.call.policy };
        let target = Target::of(uri).map_err(Failure::Refused)?;
        decide(&self.routes, asker, via, method, &target).map_err(Failure::Refused)
    }

    async fn hops(&self, mut hop: Hop) -> Result<(Response<Arriving>, Method, Option<Arc<Mask>>), Failure> {
        let follow = hop.allowed.route.redirects;
        let mut injected = None;
        let first = hop.basic.clone();
        for _ in 0..=MOST_HOPS {
            let again = follow.then(|| hop.body.again()).flatten();
            let basic = hop.basic.as_deref();
            let (response, added) =
                self.one(&hop.method, &hop.headers, hop.body, &hop.allowed, hop.stranger, basic).await?;
            injected = added.or(injected);
            let mask = self.mask(injected.as_deref(), first.as_deref());
            let location = response.headers().get(LOCATION).filter(|_| follow);
            let next = location
                // A location that holds the credential would carry it elsewhere.
                .filter(|location| {
                    mask.as_ref().is_none_or(|mask: &Arc<Mask>| !mask.finds(location.as_bytes()))
                })
                .and_then(|to| {
                    redirect::next(response.status(), to.as_bytes(), &hop.method, &hop.allowed.uri)
                });
            let Some(next) = next else { return Ok((response, hop.method, mask)) };
            let body = match again {
                _ if !next.body => Some(RequestBody::empty()),
                again => again,
            };
            // A body that streamed by cannot be sent again: the guest gets the redirect itself.
            let Some(body) = body else { return Ok((response, hop.method, mask)) };
            let allowed =
                self.decide(Via::Redirect, &next.method, &next.uri).map_err(|failure| match failure {
                    Failure::Refused(refusal) => Failure::Refused(Refusal {
                        why: format!("{} redirected: {}", hop.allowed.route.capability, refusal.why),
                        ..refusal
                    }),
                    other => other,
                })?;
            let here = &hop.allowed.route.places[hop.allowed.place].origin;
            let stranger = hop.stranger || *here != allowed.route.places[allowed.place].origin;
            let same_grant =
                !stranger && Arc::ptr_eq(&hop.allowed.route, &allowed.route) && allowed.is_first();
            let filled = hop.filled && next.body;
            // Nor is one with secret arguments in it, which were for the first place of this grant.
            if filled && !same_grant {
                return Ok((response, hop.method, mask));
            }
            drain(response.into_body()).await;
            let basic = hop.basic.filter(|_| same_grant);
            let mut headers = hop.headers;
            if stranger {
                keep_for_strangers(&mut headers);
            }
            if body.is_empty() {
                without_body(&mut headers);
            }
            hop = Hop { method: next.method, headers, body, filled, basic, allowed, stranger };
        }
        Err(Failure::Other(Error::LoopDetected))
    }

    /// Sends one request. It is noted before its first byte leaves: whatever cuts it short, the record has it.
    async fn one(
        &self,
        method: &Method,
        headers: &HeaderMap,
        body: RequestBody,
        allowed: &Allowed,
        stranger: bool,
        basic: Option<&Basic>,
    ) -> Result<(Response<Arriving>, Option<Arc<Injected>>), Failure> {
        let route = &allowed.route;
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = allowed.uri.clone();
        *request.headers_mut() = headers.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT_ENCODING, Coding::ACCEPTED);
        headers.entry(USER_AGENT).or_insert(AGENT);
        if !self.call.secrets.is_empty() {
            without_range(headers);
        }
        let mut added = None;
        if let Some((place, keeper)) = &route.credential
            && *place == allowed.place
            && !stranger
        {
            let injected = keeper.current().map_err(Failure::Credential)?;
            without_range(headers);
            injected.add(headers);
            added = Some(injected);
        }
        if let Some(basic) = basic {
            basic.add(headers);
        }
        let progress = request.body().progress();
        let begin = || self.call.used.begin(format!("{} {method} {}", route.capability, allowed.path));
        let mut entry = None;
        let sending = || entry = Some(begin());
        let sent = route.pool.send(allowed.place, request, self.options.connect_timeout, sending);
        let sent = match self.options.first_byte_timeout {
            Some(first_byte) => timeout(first_byte, sent).await.map_err(|_| Failure::Timeout)?,
            None => sent.await,
        };
        match sent {
            Ok(response) => {
                entry.unwrap_or_else(begin).end(response.status().as_str());
                Ok((response, added))
            }
            Err(failed) => {
                let failure = match (progress.too_large(), failed.into()) {
                    (Some(limit), _) => Failure::RequestTooLarge(limit),
                    (None, failure) => refused_by_address(failure, allowed),
                };
                if !matches!(failure, Failure::Refused(_)) {
                    entry.unwrap_or_else(begin).end(format!("failed: {failure}"));
                }
                Err(failure)
            }
        }
    }

    /// Tells the operator, who alone learns which rule it was.
    fn record(&self, failure: &Failure) {
        let call = &self.call;
        match failure {
            Failure::Refused(refusal) => self.refusals.note(call, refusal, "request refused"),
            Failure::TooManyAtOnce(_) => call.used.refuse(failure.to_string()),
            Failure::Credential(why) => {
                tracing::error!(call = %call.id, binding = %call.binding, %why, "a credential cannot be had");
            }
            _ => tracing::debug!(call = %call.id, binding = %call.binding, why = %failure, "request failed"),
        }
    }
}

/// The second layer's refusals, with the line of the grant that would open the address.
fn refused_by_address(failure: Failure, allowed: &Allowed) -> Failure {
    let (name, grant) = (&allowed.route.capability, &allowed.route.grant);
    let Failure::Connect(failed) = failure else { return failure };
    let refusal = |rule| Refusal::new(rule, format!("{name}: {failed}"));
    Failure::Refused(match &failed {
        ConnectFailed::Unreached(Unreached::Blocked { blocked, .. }) => match blocked.opening() {
            Some(opening) => refusal("address").allowed_by(format!("[{grant}] networks = [… \"{opening}\"]")),
            None => refusal("address"),
        },
        ConnectFailed::Plaintext { .. } => {
            refusal("plaintext").allowed_by(format!("[{grant}] url = \"https://…\""))
        }
        _ => return Failure::Connect(failed),
    })
}

/// Reads the little text that comes with a redirect, so that its connection can be used again.
async fn drain(mut body: Arriving) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > DRAINED {
            return;
        }
    }
}
