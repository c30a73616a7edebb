//! An audit log that keeps outcomes.

use std::sync::Mutex;

use fleetgate_core::audit::{Audit, AuditFailed, Intent, Record};

/// What was recorded. The hash of arguments says what they were.
#[derive(Default)]
pub struct Written(pub Mutex<Vec<Record>>);

impl Audit for Written {
    fn intent(&self, _: &Intent) -> Result<(), AuditFailed> {
        Ok(())
    }
    fn outcome(&self, record: &Record) -> Result<(), AuditFailed> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
    fn hash(&self, arguments: &str) -> String {
        format!("hash of {arguments}")
    }
}
