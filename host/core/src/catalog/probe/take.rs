//! Runs a guest for one of its lists, in a sandbox with nothing granted.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::failed::{List, ProbeFailed, short};
use super::{MAX_LIST, Subject, TURN};
use crate::domain::{Fault, ListedSkill, Prompt, ResourceTemplate, Tool};
use crate::jobs::JobsOfCall;
use crate::sandbox::work::Work;
use crate::sandbox::{BindingMemory, CallInfo, CallLimits, CallPolicy, Nobody, Run, RunFailed, Used};
use crate::secret_arguments::Vault;

/// Wall time of one listing. Nothing is granted, so there is nothing to wait for.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Something in a list.
pub(super) trait Listed: PartialEq {
    /// By which it is known.
    fn name(&self) -> &str;

    /// Brings into one order what a guest may keep in a map without one.
    fn settle(&mut self) {}
}

impl Listed for Tool {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for Prompt {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Listed for ResourceTemplate {
    #[expect(clippy::misnamed_getters, reason = "what tells templates apart is where they lead")]
    fn name(&self) -> &str {
        &self.uri_template
    }
}

impl Listed for ListedSkill {
    fn name(&self) -> &str {
        &self.path
    }

    fn settle(&mut self) {
        self.files.sort_by(|one, other| one.path.cmp(&other.path));
    }
}

impl Subject<'_> {
    /// One list, taken twice. Empty where the component does not export it.
    pub(super) async fn take<W, T>(&self, list: List, work: fn() -> W) -> Result<Vec<T>, ProbeFailed>
    where
        W: Work<Done = Vec<T>>,
        T: Listed,
    {
        let exported = self.plugin.guest.exports();
        let there = match list {
            List::Tools => exported.tools,
            List::Prompts => exported.prompts,
            List::Templates => exported.resources,
            List::Skills => exported.skills,
        };
        if !there {
            return Ok(Vec::new());
        }
        let first = self.once(list, work()).await?;
        let second = self.once(list, work()).await?;
        match difference(list, &first, &second) {
            Some(difference) => Err(ProbeFailed::Unstable { list, difference }),
            None => Ok(first),
        }
    }

    async fn once<W, T>(&self, list: List, work: W) -> Result<Vec<T>, ProbeFailed>
    where
        W: Work<Done = Vec<T>>,
        T: Listed,
    {
        let permit =
            tokio::time::timeout(TURN, self.permits.acquire()).await.map_err(|_| ProbeFailed::NoRoom)?;
        let call = Arc::new(CallInfo {
            id: "probe".into(),
            binding: self.binding.clone(),
            plugin: self.plugin.manifest.plugin.id.as_str().into(),
            tool: "".into(),
            principal: "".into(),
            roles: Vec::new(),
            session: String::new(),
            client_capabilities: "{}".into(),
            config: self.config.clone(),
            granted: Arc::default(),
            policy: Arc::new(CallPolicy { read_only: true, ..CallPolicy::default() }),
            limits: CallLimits {
                memory: self.memory,
                cpu: self.cpu,
                timeout: TIMEOUT,
                result: MAX_LIST,
                response: 0,
            },
            deadline: Instant::now() + TIMEOUT,
            cancel: CancellationToken::new(),
            log: self.log.clone(),
            observer: Arc::new(Nobody),
            lists: None,
            used: Used::default(),
            jobs: JobsOfCall::default(),
            secrets: Vault::default(),
        });
        let slots: Vec<Box<dyn Any + Send>> = self.bounds.iter().map(|bound| bound.state(&call)).collect();
        let run = Run { call, memory: BindingMemory::new(self.memory), slots, permit };
        match self.plugin.guest.perform(run, work).await {
            Ok(Ok(mut items)) => {
                items.iter_mut().for_each(Listed::settle);
                items.sort_by(|one, other| one.name().cmp(other.name()));
                Ok(items)
            }
            Ok(Err(Fault { message, .. })) => Err(ProbeFailed::Fault { list, message: short(&message) }),
            Err(why) => {
                let detail = match &why {
                    RunFailed::Trap(text) | RunFailed::Host(text) => Some(short(text)),
                    _ => None,
                };
                Err(ProbeFailed::Ended { list, why, detail })
            }
        }
    }
}

fn difference<T: Listed>(list: List, first: &[T], second: &[T]) -> Option<String> {
    if first.len() != second.len() {
        return Some(format!("{} {list}, then {}", first.len(), second.len()));
    }
    let (one, other) = first.iter().zip(second).find(|(one, other)| one != other)?;
    Some(if one.name() == other.name() {
        format!("\"{}\" is described in two ways", short(one.name()))
    } else {
        format!("\"{}\", then \"{}\"", short(one.name()), short(other.name()))
    })
}
