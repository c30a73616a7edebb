use std::collections::BTreeMap;
use std::sync::Arc;

use fleetgate_auth::local::{check_role, local_principal, sole_principal};
use fleetgate_core::diagnostic::Document;
use fleetgate_core::manifest::Roles;
use fleetgate_core::principal::HeldRole;
use fleetgate_core::settings::{self, Settings};

fn role(text: &str) -> HeldRole {
    HeldRole::parse(text).unwrap()
}

fn roles() -> Roles {
    let direct = [("view", vec![]), ("manage", vec!["view".to_owned()])];
    Roles::new(&direct.map(|(name, includes)| (name.to_owned(), includes)).into())
}

#[test]
fn the_caller_of_a_single_plugin_holds_all_its_roles_and_none_of_another() {
    let principal = sole_principal("nerveshub", &[]);
    assert_eq!(principal.roles_of("nerveshub").collect::<Vec<_>>(), ["*"]);
    assert_eq!(principal.roles_of("naas").count(), 0);
    assert_eq!(principal.name(), "local");
}

#[test]
fn naming_a_role_narrows_the_caller_of_a_single_plugin() {
    let principal = sole_principal("nerveshub", &[role("nerveshub:view")]);
    assert_eq!(principal.roles_of("nerveshub").collect::<Vec<_>>(), ["view"]);
}

#[test]
fn a_role_that_gives_nothing_is_told_from_one_that_does() {
    let roles = roles();
    let declared = BTreeMap::from([("nerveshub", Some(&roles)), ("naas", None)]);
    let check = |text: &str| check_role(&role(text), &declared).map_err(|unknown| unknown.to_string());
    assert_eq!(check("nerveshub:view"), Ok(()));
    assert_eq!(check("nerveshub:*"), Ok(()));
    assert_eq!(check("*:view"), Ok(()));
    assert_eq!(check("naas:whatever"), Ok(()), "a plugin that is not there yet may declare any role");
    assert_eq!(
        check("nerveshb:view"),
        Err("the role nerveshb:view gives nothing: there is no binding \"nerveshb\" (did you mean \"nerveshub\"?)"
            .into())
    );
    assert_eq!(
        check("nerveshub:mange"),
        Err("the role nerveshub:mange gives nothing: nerveshub declares no role \"mange\" (did you mean \"manage\"?)"
            .into())
    );
}

fn settings(text: &str) -> Settings {
    settings::parse(&Arc::new(Document::new("fleetgate.toml", text)), "/etc/fleetgate".as_ref()).unwrap()
}

#[test]
fn a_local_caller_holds_what_the_operator_says_and_by_default_nothing() {
    assert_eq!(local_principal(&settings(""), &[]).roles().count(), 0);
    let settings = settings("[serve]\nlocal_roles = [\"nerveshub:view\"]\n");
    let held = |given: &[HeldRole]| {
        local_principal(&settings, given).roles().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(held(&[]), ["nerveshub:view"]);
    assert_eq!(held(&[role("naas:operator")]), ["naas:operator"], "what was typed holds instead");
}
