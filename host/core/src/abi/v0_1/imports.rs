//! What the host offers: facts about the call, settings, what is granted.

use super::generated::fleetgate::plugin::{call, capabilities, config, types};
use crate::abi::log;
use crate::sandbox::{CallInfo, CallState, Level, Lists};
use crate::text::clean;

/// The longest message of a progress report; the rest is cut off.
const MAX_PROGRESS: usize = 1 << 10;

impl types::Host for CallState {}

impl call::Host for CallState {
    fn principal(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().principal.to_string())
    }
    fn roles(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.call().roles.clone())
    }
    fn session(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().session.clone())
    }
    fn binding(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().binding.to_string())
    }
    fn client_capabilities(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().client_capabilities.to_string())
    }
    fn job(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(self.call().jobs.id().map(str::to_owned))
    }
    fn deadline_ms(&mut self) -> wasmtime::Result<u64> {
        Ok(self.call().remaining().as_millis().try_into().unwrap_or(u64::MAX))
    }
    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.call().cancel.is_cancelled())
    }
    fn progress(&mut self, done: f64, total: Option<f64>, message: Option<String>) -> wasmtime::Result<()> {
        if done.is_finite() && done > self.progress {
            self.progress = done;
            let message = message.map(|text| {
                let text = self.call().secrets.hide(&text);
                clean(&text[..text.floor_char_boundary(MAX_PROGRESS)]).into_owned()
            });
            self.call().observer.progress(done, total.filter(|total| total.is_finite()), message);
        }
        Ok(())
    }
    fn log(&mut self, level: String, message: String, data: Option<String>) -> wasmtime::Result<()> {
        log::write(self.call(), Level::parse(&level), &message, data);
        Ok(())
    }
    fn tools_changed(&mut self) -> wasmtime::Result<()> {
        changed(self.call(), "tools", Lists { tools: true, ..Lists::default() });
        Ok(())
    }
    fn prompts_changed(&mut self) -> wasmtime::Result<()> {
        changed(self.call(), "prompts", Lists { prompts: true, ..Lists::default() });
        Ok(())
    }
    fn resources_changed(&mut self) -> wasmtime::Result<()> {
        changed(self.call(), "resources", Lists { resources: true, ..Lists::default() });
        Ok(())
    }
    fn resource_updated(&mut self, uri: String) -> wasmtime::Result<()> {
        let call = self.call();
        call.observer.resource_updated(&call.secrets.hide(&uri));
        Ok(())
    }
}

/// Tells who listens to the call, and who looks again.
fn changed(call: &CallInfo, name: &'static str, lists: Lists) {
    call.observer.list_changed(name);
    if let Some(changed) = &call.lists {
        changed.say(&call.binding, lists);
    }
}

impl config::Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.call().config.get(&key).map(|value| value.text.clone()))
    }
}

impl capabilities::Host for CallState {
    fn granted(&mut self, name: String) -> wasmtime::Result<bool> {
        Ok(self.call().granted.contains(&name))
    }
}
