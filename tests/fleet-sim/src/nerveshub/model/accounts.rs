//! Who there is and what they may do: users, tokens, roles, orgs, products.

use jiff::Timestamp;

use super::Id;

/// What a member may do in one org; a higher role includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    View,
    /// Change devices.
    Manage,
    /// Change the org.
    Admin,
}

impl Role {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Manage => "manage",
            Self::Admin => "admin",
        }
    }
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct User {
    /// Row number.
    pub id: Id,
    /// The short name under which tests and the demo find the token.
    pub handle: String,
    /// Full name, as audit rows have it.
    pub name: String,
    /// Address; unique.
    pub email: String,
    /// Password for `POST /api/users/auth`.
    pub password: String,
}

/// An issued personal access token.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose it is.
    pub user: Id,
    /// What the caller wrote when asking for it.
    pub note: Option<String>,
    /// Stamped on every call.
    pub last_used: Option<Timestamp>,
}

/// A user's role in an org.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The user.
    pub user: Id,
    /// The org.
    pub org: Id,
    /// The role.
    pub role: Role,
}

/// An organization.
#[derive(Debug, Clone)]
pub struct Org {
    /// Row number.
    pub id: Id,
    /// Unique name; the address in paths.
    pub name: String,
    /// Created.
    pub inserted_at: Timestamp,
    /// Last changed.
    pub updated_at: Timestamp,
}

/// A product.
#[derive(Debug, Clone)]
pub struct Product {
    /// Row number.
    pub id: Id,
    /// Its org.
    pub org: Id,
    /// Name, unique in the org; the address in paths.
    pub name: String,
    /// Refuse a second upload of one version.
    pub require_unique_firmware_version: bool,
    /// `fwup`, `esp-idf`.
    pub allowed_update_tools: Vec<String>,
    /// Accept unsigned ESP-IDF images.
    pub allow_unsigned_esp_idf_firmware: bool,
}
