//! The guest's side: `fleetgate:mqtt/mqtt`.

use std::time::Duration;

use fleetgate_core::capability::{Of, Slot};
use fleetgate_core::sandbox::CallState;
use wasmtime::component::{Linker, Resource};

use crate::failure::Failure;
use crate::inbox::{Heard, HeardMessage};
use crate::session::{Session, Subscription};

mod generated {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../../../wit/fleetgate-mqtt",
        world: "imports",
        imports: { default: async | trappable },
        with: {
            "fleetgate:mqtt/mqtt.subscription": crate::session::Subscription,
        },
    });
}

use generated::fleetgate::mqtt::mqtt;

/// What a call keeps.
pub(crate) struct State(pub(crate) Session);

/// Adds the host functions.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    mqtt::add_to_linker::<_, Of<State>>(linker, CallState::slot::<State>)
}

type Answer<T> = wasmtime::Result<Result<T, mqtt::Failure>>;

fn failure(failure: &Failure) -> mqtt::Failure {
    let guest = failure.guest();
    mqtt::Failure {
        code: guest.code.to_owned(),
        message: guest.message,
        retryable: guest.retryable,
        sent: guest.sent,
        details: guest.details.map(|details| details.to_string()),
    }
}

impl mqtt::Host for Slot<'_, State> {
    async fn publish(
        &mut self,
        capability: String,
        topic: String,
        payload: Vec<u8>,
        options: Option<String>,
    ) -> Answer<()> {
        let done = self.state.0.publish(&capability, &topic, payload, options.as_deref()).await;
        Ok(done.map_err(|failed| failure(&failed)))
    }
}

impl mqtt::HostSubscription for Slot<'_, State> {
    async fn open(
        &mut self,
        capability: String,
        filters: Vec<String>,
        options: Option<String>,
    ) -> Answer<Resource<Subscription>> {
        match self.state.0.open(&capability, &filters, options.as_deref()).await {
            Ok(subscription) => Ok(Ok(self.table.push(subscription)?)),
            Err(failed) => Ok(Err(failure(&failed))),
        }
    }

    async fn read(&mut self, subscription: Resource<Subscription>, timeout_ms: u32) -> Answer<mqtt::Heard> {
        let read = self.table.get(&subscription)?.read(Duration::from_millis(timeout_ms.into())).await;
        Ok(match read {
            Ok(Heard::Message(message)) => {
                let HeardMessage { topic, payload, qos, retained, time_ms, properties } = message;
                let message = mqtt::Message { topic, payload, qos, retained, time_ms, properties };
                Ok(mqtt::Heard::Message(message))
            }
            Ok(Heard::TimedOut) => Ok(mqtt::Heard::TimedOut),
            Ok(Heard::Missed(count)) => Ok(mqtt::Heard::Missed(count)),
            Err(failed) => Err(failure(&failed)),
        })
    }

    async fn drop(&mut self, subscription: Resource<Subscription>) -> wasmtime::Result<()> {
        self.table.delete(subscription)?;
        Ok(())
    }
}
