//! list_alerts.

use fleetgate_sdk::prelude::*;

use crate::alert::{Alerts, Wanted};
use crate::mode::Mode;
use crate::{api, direct};

/// List all alert rules for the tenant, including trigger conditions, notification channels, and current fired/resolved
/// state. `state` = `fired` gives what is the matter now. Changes nothing.
#[tool(
    title = "List alerts",
    requires = "rules:read",
    read_only,
    open_world,
    audit = ["/state", "/device_id", "/limit", "/cursor"],
    reach = {
        "http.api" = {
            methods = ["GET"],
            paths = ["GET /alerts", "GET /alert-rules", "GET /rules", "GET /devices", "GET /devices/*/config"]
        }
    }
)]
pub fn list_alerts(args: Wanted) -> Result<Alerts, Fault> {
    args.check()?;
    match Mode::granted()? {
        Mode::Api => api::alerts::list(&args),
        Mode::Direct => direct::alerts::list(&args),
    }
}
