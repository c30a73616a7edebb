//! The sessions as rmcp's HTTP service wants them.

use futures_util::{Stream, StreamExt};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId, SessionManager};
use tokio_util::sync::CancellationToken;

use super::session::Open;
use super::streams::Asked;
use super::{Session, SessionError, SessionTransport, Sessions, holding};
use crate::caller::{self, Deaf};

impl SessionManager for Sessions {
    type Error = SessionError;
    type Transport = SessionTransport;

    async fn create_session(&self) -> Result<(SessionId, SessionTransport), SessionError> {
        let (session, transport) = Session::new();
        self.insert(&session);
        Ok((session.id.clone(), transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionError> {
        let session = self.expect(id)?;
        if let JsonRpcMessage::Request(request) = &message
            && let Some(principal) = caller::of_request(request.request.extensions())
        {
            let _ = session.owner.set(principal.name().to_owned());
        }
        session.room(1).await?.send([message]);
        session.greeted().await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, SessionError> {
        Ok(self.get(id).is_some_and(|session| !session.old))
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), SessionError> {
        self.close(id);
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.expect(id)?;
        let (asked, deaf) = match &message {
            JsonRpcMessage::Request(request) => {
                (vec![Asked::of(request)], Deaf::is(request.request.extensions()))
            }
            _ => (Vec::new(), false),
        };
        let room = session.room(1).await?;
        let reader = session.streams.open(asked, deaf, session.retry())?;
        room.send([message]);
        Ok(self.response(&session, reader, deaf))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), SessionError> {
        self.expect(id)?.room(1).await?.send([message]);
        Ok(())
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.expect(id)?;
        let reader = session.streams.standing(session.retry()).ok_or(SessionError::Gone)?;
        let gone = self.gone.clone().cancelled_owned();
        Ok(holding(reader.events().take_until(gone), Open::new(&session)))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.expect(id)?;
        let reader = session.streams.resume(&last_event_id, session.retry()).ok_or(SessionError::Gone)?;
        let gone = if reader.is_standing() { self.gone.clone() } else { CancellationToken::new() };
        Ok(self.response(&session, reader, false).take_until(gone.cancelled_owned()))
    }
}
