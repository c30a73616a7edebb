//! The jobs of a test: nothing runs by itself, the test says how each one ends.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::jobs::Job;
use crate::{Fault, ToolResult};

/// How a job ends that is submitted.
type Runs = Rc<dyn Fn(&Submitted) -> Option<Result<ToolResult, Fault>>>;

/// Everything that was submitted.
#[derive(Default)]
pub(crate) struct Jobs {
    kept: RefCell<Vec<Kept>>,
    runs: RefCell<Option<Runs>>,
    refuses: RefCell<Option<Fault>>,
}

#[derive(Debug)]
struct Kept {
    job: Job,
    submitted: Submitted,
    end: Option<Result<ToolResult, Fault>>,
}

/// A job as the plugin submitted it.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// The id that it got: `job-1`, `job-2`, …
    pub id: String,
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub arguments: Value,
    /// What else was said: `ttlMs`.
    pub options: Option<Value>,
}

impl Jobs {
    pub(crate) fn runs(&self, runs: Runs) {
        self.runs.replace(Some(runs));
    }

    pub(crate) fn refuse(&self, fault: Fault) {
        self.refuses.replace(Some(fault));
    }

    pub(crate) fn submit(&self, tool: &str, arguments: &str, options: Option<&Value>) -> Result<Job, Fault> {
        if let Some(fault) = self.refuses.borrow().clone() {
            return Err(fault);
        }
        let arguments = serde_json::from_str(arguments)
            .map_err(|error| Fault::custom("protocol", format!("The arguments are not JSON: {error}")))?;
        let mut kept = self.kept.borrow_mut();
        let id = format!("job-{}", kept.len() + 1);
        let job = Job {
            id: id.clone(),
            tool: tool.to_owned(),
            status: "queued".to_owned(),
            message: None,
            created_ms: 0,
            updated_ms: 0,
            extra: options.and_then(Value::as_object).cloned(),
        };
        let submitted = Submitted { id, tool: tool.to_owned(), arguments, options: options.cloned() };
        kept.push(Kept { job: job.clone(), submitted: submitted.clone(), end: None });
        drop(kept);
        // Cloned and not borrowed: what runs may look at the jobs.
        let runs = self.runs.borrow().clone();
        if let Some(end) = runs.and_then(|runs| runs(&submitted)) {
            self.end(&submitted.id, end)?;
        }
        Ok(job)
    }

    fn with<T>(&self, id: &str, of: impl FnOnce(&mut Kept) -> T) -> Result<T, Fault> {
        let mut kept = self.kept.borrow_mut();
        let kept = kept.iter_mut().find(|kept| kept.job.id == id);
        kept.map(of).ok_or_else(|| Fault::unknown(format!("There is no job `{id}`.")))
    }

    pub(crate) fn get(&self, id: &str) -> Result<Job, Fault> {
        self.with(id, |kept| kept.job.clone())
    }

    pub(crate) fn outcome(&self, id: &str) -> Result<ToolResult, Fault> {
        self.with(id, |kept| match &kept.end {
            Some(end) => end.clone(),
            None => Err(Fault::unavailable("The job is not at its end.")),
        })?
    }

    pub(crate) fn list(&self, cursor: Option<&str>) -> Result<(Vec<Job>, Option<String>), Fault> {
        match cursor {
            None => Ok((self.kept.borrow().iter().rev().map(|kept| kept.job.clone()).collect(), None)),
            Some(_) => Err(Fault::invalid("/cursor", "This is not a cursor of this list.")),
        }
    }

    pub(crate) fn cancel(&self, id: &str) -> Result<Job, Fault> {
        self.with(id, |kept| {
            if kept.end.is_none() {
                kept.job.status = "cancelled".to_owned();
                kept.end = Some(Err(Fault::cancelled()));
            }
            kept.job.clone()
        })
    }

    pub(crate) fn end(&self, id: &str, end: Result<ToolResult, Fault>) -> Result<(), Fault> {
        self.with(id, |kept| {
            kept.job.status = if end.is_ok() { "completed" } else { "failed" }.to_owned();
            kept.job.message = end.as_ref().err().map(|fault| fault.message.clone());
            kept.end = Some(end);
        })
    }

    pub(crate) fn submitted(&self) -> Vec<Submitted> {
        self.kept.borrow().iter().map(|kept| kept.submitted.clone()).collect()
    }
}
