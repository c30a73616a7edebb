//! Everything the hub knows, with the lookups the API does: by name, by identifier, by membership.

use std::collections::HashMap;

use jiff::Timestamp;

use super::model::{
    AuditRow, DeploymentGroup, Device, Event, EventKind, Firmware, Id, InflightUpdate, Membership, Org,
    Product, Role, Script, Token, User,
};

/// The hub's database.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// A fixed time for all that is written, or the system's clock.
    pub(crate) clock: Option<Timestamp>,
    pub(crate) users: Vec<User>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) orgs: Vec<Org>,
    pub(crate) products: Vec<Product>,
    /// Newest version first within a product.
    pub(crate) firmwares: Vec<Firmware>,
    pub(crate) groups: Vec<DeploymentGroup>,
    pub(crate) scripts: Vec<Script>,
    pub(crate) devices: Vec<Device>,
    pub(crate) inflight: Vec<InflightUpdate>,
    pub(crate) audit: Vec<AuditRow>,
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.unwrap_or_else(Timestamp::now)
    }

    pub(crate) fn role(&self, user: Id, org: Id) -> Option<Role> {
        self.memberships.iter().find(|row| row.user == user && row.org == org).map(|row| row.role)
    }

    pub(crate) fn org_named(&self, name: &str) -> Option<&Org> {
        self.orgs.iter().find(|org| org.name == name)
    }

    pub(crate) fn orgs_of(&self, user: Id) -> impl Iterator<Item = &Org> {
        self.orgs.iter().filter(move |org| self.role(user, org.id).is_some())
    }

    pub(crate) fn products_of(&self, org: Id) -> impl Iterator<Item = &Product> {
        self.products.iter().filter(move |product| product.org == org)
    }

    pub(crate) fn product_named(&self, org: Id, name: &str) -> Option<&Product> {
        self.products_of(org).find(|product| product.name == name)
    }

    pub(crate) fn device_named(&self, org: Id, identifier: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.org == org && device.identifier == identifier)
    }

    pub(crate) fn firmware_of(&self, product: Id, uuid: &str) -> Option<&Firmware> {
        self.firmwares.iter().find(|firmware| firmware.product == product && firmware.uuid == uuid)
    }

    /// By name, and only if there is none of that name, by number.
    pub(crate) fn script_of(&self, product: Id, name_or_id: &str) -> Option<&Script> {
        let mut scripts = self.scripts.iter().filter(|script| script.product == product);
        scripts.clone().find(|script| script.name == name_or_id).or_else(|| {
            let id: Id = name_or_id.parse().ok()?;
            scripts.find(|script| script.id == id)
        })
    }

    pub(crate) fn audit(&mut self, user: Id, device: Id, description: String) {
        let device = self.device_row(device);
        let row = AuditRow {
            at: self.now(),
            user: self.user_row(user).email.clone(),
            org: self.org_row(device.org).name.clone(),
            device: device.identifier.clone(),
            description,
        };
        self.audit.push(row);
    }

    pub(crate) fn tell(&mut self, device: Id, kind: EventKind) {
        let device = self.device_row(device);
        let event = Event {
            at: self.now(),
            org: self.org_row(device.org).name.clone(),
            device: device.identifier.clone(),
            kind,
        };
        self.events.push(event);
    }

    // Rows by number. Numbers come from rows and no row is ever removed, so each of these exists.

    pub(crate) fn user_row(&self, id: Id) -> &User {
        self.users.iter().find(|row| row.id == id).expect("users keep their numbers")
    }

    pub(crate) fn org_row(&self, id: Id) -> &Org {
        self.orgs.iter().find(|row| row.id == id).expect("orgs keep their numbers")
    }

    pub(crate) fn product_row(&self, id: Id) -> &Product {
        self.products.iter().find(|row| row.id == id).expect("products keep their numbers")
    }

    pub(crate) fn firmware_row(&self, id: Id) -> &Firmware {
        self.firmwares.iter().find(|row| row.id == id).expect("firmwares keep their numbers")
    }

    pub(crate) fn group_row(&self, id: Id) -> &DeploymentGroup {
        self.groups.iter().find(|row| row.id == id).expect("deployment groups keep their numbers")
    }

    pub(crate) fn device_row(&self, id: Id) -> &Device {
        self.devices.iter().find(|row| row.id == id).expect("devices keep their numbers")
    }

    pub(crate) fn device_row_mut(&mut self, id: Id) -> &mut Device {
        self.devices.iter_mut().find(|row| row.id == id).expect("devices keep their numbers")
    }
}
