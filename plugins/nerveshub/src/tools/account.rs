//! Who the credential is in NervesHub, and what belongs to it: organizations and products.

use fleetgate_sdk::prelude::*;

use crate::upstream::reading::{flag, text, words};
use crate::upstream::{Api, OrgArgs, Route};

/// A NervesHub user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct User {
    /// Name of the user.
    pub name: Option<String>,
    /// Address of the user.
    pub email: Option<String>,
}

/// The NervesHub user as whom every tool of this plugin acts: the one behind the credential that the operator
/// granted, not necessarily the person who is asking. Changes nothing.
#[tool(
    title = "Who am I",
    requires = "any",
    read_only,
    open_world,
    reach = { "http.api" = { methods = ["GET"], paths = ["GET /api/users/me"] } }
)]
pub fn whoami() -> Result<User, Fault> {
    let data = Api::connect()?.get(Route::me()).send()?.data()?;
    let user = User { name: text(&data, "name"), email: text(&data, "email") };
    if user.name.is_none() && user.email.is_none() {
        return Err(Fault::upstream("NervesHub answered with a user that has neither name nor email."));
    }
    Ok(user)
}

/// How to list organizations.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListOrgs {
    /// Also give the products of each organization, which saves a list_products for each. Default: false.
    pub include_products: bool,
}

/// The organizations of the user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Orgs {
    /// Empty if the user is a member of none.
    pub orgs: Vec<Org>,
}

/// An organization.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Org {
    /// Its name: the `org` argument of the other tools.
    pub name: String,
    /// When it was created; UTC.
    pub inserted_at: Option<String>,
    /// When it was last changed; UTC.
    pub updated_at: Option<String>,
    /// Its products; null unless they were asked for.
    pub products: Option<Vec<Product>>,
}

/// The NervesHub organizations that the credential's user is a member of. Their names are the `org` argument of
/// the other tools. Changes nothing.
#[tool(
    title = "List organizations",
    requires = "any",
    read_only,
    open_world,
    reach = { "http.api" = { methods = ["GET"], paths = ["GET /api/orgs"] } }
)]
pub fn list_orgs(args: ListOrgs) -> Result<Orgs, Fault> {
    let api = Api::connect()?;
    let mut call = api.get(Route::orgs());
    if args.include_products {
        call = call.query("include", "products");
    }
    let orgs = call.send()?.list()?.iter().map(Org::read).collect::<Result<_, _>>()?;
    Ok(Orgs { orgs })
}

/// The products of an organization.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Products {
    /// Empty if there is none.
    pub products: Vec<Product>,
}

/// A product: one kind of device with its own firmware.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Product {
    /// Its name: the `product` argument of the other tools.
    pub name: String,
    /// Whether each firmware needs a version of its own.
    pub require_unique_firmware_version: Option<bool>,
    /// Formats that it takes: `fwup`, `esp-idf`. Empty if NervesHub does not say.
    pub allowed_update_tools: Vec<String>,
    /// Whether it takes unsigned ESP-IDF images.
    pub allow_unsigned_esp_idf_firmware: Option<bool>,
}

/// The products of an organization. Their names are the `product` argument of the other tools. Changes nothing.
#[tool(
    title = "List products",
    requires = "view",
    read_only,
    open_world,
    reach = { "http.api" = { methods = ["GET"], paths = ["GET /api/orgs/*/products", "GET /api/users/me"] } }
)]
pub fn list_products(args: OrgArgs) -> Result<Products, Fault> {
    let list = Api::connect()?.get(args.products()).send()?.list()?;
    Ok(Products { products: list.iter().map(Product::read).collect::<Result<_, _>>()? })
}

impl Org {
    fn read(data: &Value) -> Result<Self, Fault> {
        let products = match data.get("products") {
            Some(Value::Array(list)) => Some(list.iter().map(Product::read).collect::<Result<_, _>>()?),
            _ => None,
        };
        Ok(Self {
            name: named(data, "an organization")?,
            inserted_at: text(data, "inserted_at"),
            updated_at: text(data, "updated_at"),
            products,
        })
    }
}

impl Product {
    fn read(data: &Value) -> Result<Self, Fault> {
        Ok(Self {
            name: named(data, "a product")?,
            require_unique_firmware_version: flag(data, "require_unique_firmware_version"),
            allowed_update_tools: words(data, "allowed_update_tools"),
            allow_unsigned_esp_idf_firmware: flag(data, "allow_unsigned_esp_idf_firmware"),
        })
    }
}

fn named(data: &Value, kind: &str) -> Result<String, Fault> {
    text(data, "name")
        .ok_or_else(|| Fault::upstream(format!("NervesHub answered with {kind} that has no name.")))
}
