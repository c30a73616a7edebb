//! One device.

use fleetgate_sdk::prelude::*;

use crate::upstream::{Api, Device, DeviceArgs};

/// Everything NervesHub's API tells about one device: connection, firmware, tags, deployment group, state of its
/// automatic updates. Deleted devices are shown too, with `deleted` true. Changes nothing.
#[tool(
    title = "Get device",
    requires = "view",
    read_only,
    open_world,
    audit = ["/org", "/product", "/identifier"],
    reach = { "http.api" = {
        methods = ["GET"],
        paths = ["GET /api/orgs/*/products/*/devices/*", "GET /api/users/me"]
    } }
)]
pub fn get_device(args: DeviceArgs) -> Result<Device, Fault> {
    Device::to_look_at(&Api::connect()?, &args)
}
