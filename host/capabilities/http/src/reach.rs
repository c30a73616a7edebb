//! A tool's part of what its plugin was granted: `reach = { "http.api" = { … } }`.

use std::any::Any;

use fleetgate_core::capability::Reach;
use fleetgate_core::diagnostic::{Spanned, TableReader};
use http::Method;

use crate::method::Methods;
use crate::pattern::{PathSet, Pattern};
use crate::request::{HttpRequest, check_methods, read_paths};

/// A parsed entry. What is not named is not narrowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpReach {
    /// Named here, they are also what a read-only tool may use.
    pub(crate) methods: Option<Methods>,
    pub(crate) paths: Option<PathSet>,
}

impl HttpReach {
    pub(crate) fn read(table: &mut TableReader<'_>, request: &HttpRequest) -> Option<Self> {
        let methods = read_narrower_methods(table, request);
        let paths = read_narrower_paths(table, request);
        (!table.failed()).then_some(Self { methods, paths })
    }
}

impl Reach for HttpReach {
    fn widens(&self, old: &dyn Reach) -> Vec<String> {
        let Some(old) = (old as &dyn Any).downcast_ref::<Self>() else {
            return vec![self.describe()];
        };
        let mut more = Vec::new();
        match (&self.methods, &old.methods) {
            (None, Some(_)) => more.push("every method that is granted".into()),
            // Without methods a read-only tool had these two; naming another one gives it more.
            (Some(new), None) => more.extend(Methods::safe().beyond(new).iter().map(named_method)),
            (Some(new), Some(old)) => more.extend(old.beyond(new).iter().map(named_method)),
            (None, None) => {}
        }
        match (&self.paths, &old.paths) {
            (None, Some(_)) => more.push("every path that is granted".into()),
            (Some(new), Some(old)) => {
                more.extend(old.beyond(new).into_iter().map(|path| format!("the paths {path}")));
            }
            _ => {}
        }
        more
    }

    fn describe(&self) -> String {
        let methods =
            self.methods.as_ref().map_or_else(|| "the granted methods".to_owned(), Methods::to_string);
        let paths = self.paths.as_ref().map_or_else(|| "the granted paths".to_owned(), PathSet::to_string);
        format!("{methods} on {paths}")
    }
}

fn named_method(method: &Method) -> String {
    format!("{method} requests")
}

/// `methods`, where each must be one that the plugin asks for.
pub(crate) fn read_narrower_methods(table: &mut TableReader<'_>, request: &HttpRequest) -> Option<Methods> {
    let methods = Methods::read(table, "methods")?;
    for method in methods.iter().filter(|method| !request.methods.contains(method.get_ref())) {
        table.error_at(
            method,
            format!("the plugin does not ask for {}", method.get_ref()),
            format!("it asks for {}; less may be named here, not more", request.methods),
        );
    }
    Some(Methods::new(methods.into_iter().map(Spanned::into_inner)))
}

/// `paths`, where each must lie within those that the plugin asks for.
pub(crate) fn read_narrower_paths(table: &mut TableReader<'_>, request: &HttpRequest) -> Option<PathSet> {
    let paths = read_paths(table)?;
    check_methods(table, &paths, &request.methods);
    for path in paths.iter().filter(|path: &&Spanned<Pattern>| !request.paths.covers(path.get_ref())) {
        table.error_at(
            path,
            format!("the plugin does not ask for all of {}", path.get_ref()),
            format!("it asks for {}; less may be named here, not more", request.paths),
        );
    }
    Some(PathSet::new(paths.into_iter().map(Spanned::into_inner).collect()))
}
