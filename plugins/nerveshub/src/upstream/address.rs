//! Where things are: the arguments that name them, and the paths that lead to them.
//!
//! Only the long forms of device paths are used. The short form (`/api/devices/{identifier}`) searches every
//! organization of the user, and identifiers are unique only within one.

use fleetgate_sdk::prelude::*;

/// An organization.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrgArgs {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
}

/// A product of an organization.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductArgs {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
}

/// A device of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceArgs {
    /// Name of the organization, exactly as list_orgs gives it.
    #[schemars(length(min = 1, max = 255))]
    pub org: String,
    /// Name of the product, exactly as list_products gives it.
    #[schemars(length(min = 1, max = 255))]
    pub product: String,
    /// The device's identifier, exactly as list_devices gives it.
    #[schemars(length(min = 1, max = 255))]
    pub identifier: String,
}

/// One part of a path.
#[derive(Debug, Clone)]
pub enum Segment {
    /// A word of the API.
    Word(&'static str),
    /// An argument: the JSON pointer to it, and its value.
    Argument(&'static str, String),
}

/// A path below the granted URL, and in words what is there.
#[derive(Debug, Clone)]
pub struct Route {
    /// The parts, not encoded.
    pub segments: Vec<Segment>,
    /// What is there, for messages: "device `sn-1` in product ...".
    pub what: String,
    /// The argument that most likely is wrong if nothing is there.
    pub field: Option<&'static str>,
    /// The organization whose roles decide; none for the user's own things.
    pub org: Option<String>,
}

impl Route {
    /// The user of the credential.
    pub fn me() -> Self {
        Self::own(["api", "users", "me"], "the user of the credential")
    }

    /// The user's organizations.
    pub fn orgs() -> Self {
        Self::own(["api", "orgs"], "the user's organizations")
    }

    fn own<const N: usize>(words: [&'static str; N], what: &str) -> Self {
        Self { segments: words.map(Segment::Word).into(), what: what.to_owned(), field: None, org: None }
    }

    fn word(mut self, word: &'static str) -> Self {
        self.segments.push(Segment::Word(word));
        self
    }

    fn argument(mut self, field: &'static str, value: &str) -> Self {
        self.segments.push(Segment::Argument(field, value.to_owned()));
        self
    }

    fn about(mut self, what: String, field: &'static str) -> Self {
        self.what = what;
        self.field = Some(field);
        self
    }
}

impl OrgArgs {
    /// The organization's products.
    pub fn products(&self) -> Route {
        let mut route = Route::orgs().argument("/org", &self.org).word("products");
        route.org = Some(self.org.clone());
        route.about(format!("organization `{}`", self.org), "/org")
    }
}

impl ProductArgs {
    /// The product's devices.
    pub fn devices(&self) -> Route {
        self.list("devices")
    }

    /// The product's firmware.
    pub fn firmwares(&self) -> Route {
        self.list("firmwares")
    }

    /// One firmware of the product.
    pub fn firmware(&self, uuid: &str) -> Route {
        let what = format!("firmware `{uuid}` in {}", self.what());
        self.list("firmwares").argument("/firmware_uuid", uuid).about(what, "/firmware_uuid")
    }

    /// The product's deployment groups.
    pub fn deployments(&self) -> Route {
        self.list("deployments")
    }

    /// The product's support scripts.
    pub fn scripts(&self) -> Route {
        self.list("scripts")
    }

    fn list(&self, word: &'static str) -> Route {
        let org = OrgArgs { org: self.org.clone() };
        org.products().argument("/product", &self.product).word(word).about(self.what(), "/product")
    }

    fn what(&self) -> String {
        format!("product `{}` of organization `{}`", self.product, self.org)
    }
}

impl DeviceArgs {
    /// The product that the device is said to be in.
    pub fn in_product(&self) -> ProductArgs {
        ProductArgs { org: self.org.clone(), product: self.product.clone() }
    }

    /// The device itself.
    pub fn route(&self) -> Route {
        let product = self.in_product();
        let what = format!("device `{}` in {}", self.identifier, product.what());
        product.devices().argument("/identifier", &self.identifier).about(what, "/identifier")
    }

    /// One of the things that the device can be told.
    pub fn action(&self, word: &'static str) -> Route {
        self.route().word(word)
    }

    /// A support script, to be run on the device.
    pub fn script(&self, name_or_id: &str) -> Route {
        let what = format!("script `{name_or_id}` in {}", self.in_product().what());
        self.action("scripts").argument("/script", name_or_id).about(what, "/script")
    }
}

/// Refuses what cannot be one part of a path. Every path is checked when it is built; this is for an argument that
/// comes into one only after another request, so that nothing at all is sent for it.
pub fn check_segment(field: &str, value: &str) -> Result<(), Fault> {
    let encoded = value.split('%').skip(1).any(|rest| {
        rest.starts_with(['u', 'U'])
            || rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    });
    let leaves = value.contains(['/', '\\', ';']) || value.chars().any(char::is_control);
    if value.trim().is_empty() || value == "." || value == ".." || encoded || leaves {
        let message = format!(
            "{value:?} cannot be part of a path: it is empty, a dot, or has a slash, a backslash, a semicolon, a \
             control character or an encoded one."
        );
        return Err(Fault::invalid(field, message));
    }
    Ok(())
}
