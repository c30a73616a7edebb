//! Orgs, products, users with their roles and tokens.

use super::super::known;
use super::super::model::{Membership, Org, Product, Role, Token, User};
use super::super::token;
use super::{Ground, PRODUCTS};

/// Handle, name, address, roles.
type Person = (&'static str, &'static str, &'static str, &'static [(&'static str, Role)]);

const PEOPLE: [Person; 7] = [
    (known::ADMIN, "Grace Holm", "grace.holm@acme.example", &[(known::ACME, Role::Admin)]),
    (known::MANAGE, "Marco Silva", "marco.silva@acme.example", &[(known::ACME, Role::Manage)]),
    (known::VIEW, "Vera Lindqvist", "vera.lindqvist@acme.example", &[(known::ACME, Role::View)]),
    (
        known::BOTH,
        "Toni Duarte",
        "toni.duarte@acme.example",
        &[(known::ACME, Role::Manage), (known::ROBOTICS, Role::View)],
    ),
    (known::ROBOTICS_ADMIN, "Yuki Tanaka", "yuki@robotics.example", &[(known::ROBOTICS, Role::Admin)]),
    (known::NORTHWIND_MANAGE, "Noor Haddad", "noor@northwind.example", &[(known::NORTHWIND, Role::Manage)]),
    (known::OUTSIDER, "Otto Becker", "otto.becker@mail.example", &[]),
];

pub(super) fn plant(ground: &mut Ground) {
    for (index, name) in [known::ACME, known::ROBOTICS, known::NORTHWIND].into_iter().enumerate() {
        let id = index as u64 + 1;
        let inserted_at = ground.days_ago(900 - 200 * id);
        let updated_at = ground.days_ago(40 + id);
        ground.world.orgs.push(Org { id, name: name.to_owned(), inserted_at, updated_at });
    }
    for (index, ((org, name), _)) in PRODUCTS.into_iter().enumerate() {
        let org = ground.world.org_named(org).expect("every product's org is planted above").id;
        let mixed = (known::COLD_CHAIN.1) == name;
        let tools: &[&str] = if mixed { &["fwup", "esp-idf"] } else { &["fwup"] };
        ground.world.products.push(Product {
            id: index as u64 + 1,
            org,
            name: name.to_owned(),
            require_unique_firmware_version: !mixed,
            allowed_update_tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
            allow_unsigned_esp_idf_firmware: false,
        });
    }
    for (index, (handle, name, email, roles)) in PEOPLE.into_iter().enumerate() {
        let id = index as u64 + 1;
        let token = token::mint(ground.dice.bytes());
        ground
            .world
            .tokens
            .insert(token, Token { user: id, note: Some("fleet-sim".to_owned()), last_used: None });
        ground.world.users.push(User {
            id,
            handle: handle.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            password: format!("correct horse battery {handle}"),
        });
        for (org, role) in roles {
            let org = ground.world.org_named(org).expect("every member's org is planted above").id;
            ground.world.memberships.push(Membership { user: id, org, role: *role });
        }
    }
}
