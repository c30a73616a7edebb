//! `from_call = { body = ["/password"], basic = true }`: into what of a request the call's secret arguments may go.
//! The manifest asks for it, and nothing of it is so unless the grant says it too.

use fleetgate_core::diagnostic::{Spanned, TableReader};

/// More pointers than this are no login.
const MOST: usize = 32;

/// The key in manifests and grants.
pub(crate) const KEY: &str = "from_call";

/// A parsed table. Empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FromCall {
    /// JSON pointers to where a body may have one.
    pub(crate) body: Vec<String>,
    /// One may be the password of HTTP Basic.
    pub(crate) basic: bool,
}

impl FromCall {
    /// Reads the manifest's.
    pub(crate) fn read(table: &mut TableReader<'_>) -> Self {
        Self::within(table, None)
    }

    /// Reads the grant's, which may say less than the manifest's and not more.
    pub(crate) fn read_narrower(table: &mut TableReader<'_>, asked: &Self) -> Self {
        Self::within(table, Some(asked))
    }

    fn within(table: &mut TableReader<'_>, asked: Option<&Self>) -> Self {
        let Some(mut inner) = table.table(KEY) else { return Self::default() };
        let body = inner.pointers("body").unwrap_or_default();
        let basic = inner.bool("basic").unwrap_or_default();
        if body.len() > MOST {
            inner.error_at("body", format!("more than {MOST} pointers"), "name fewer");
        }
        if let Some(asked) = asked {
            let help = match asked.is_nothing() {
                true => "it asks for none of this: leave from_call out".to_owned(),
                false => format!("it asks for {}; less may be named here, not more", asked.toml()),
            };
            for pointer in body.iter().filter(|pointer| !asked.body.contains(pointer.get_ref())) {
                let message = format!("the plugin puts no secret argument at {}", pointer.get_ref());
                inner.error_at(pointer, message, help.as_str());
            }
            if basic && !asked.basic {
                inner.error_at("basic", "the plugin makes no HTTP Basic of secret arguments", help);
            }
        }
        inner.finish();
        Self { body: body.into_iter().map(Spanned::into_inner).collect(), basic }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.body.is_empty() && !self.basic
    }

    /// What `new` has beyond it, in words.
    pub(crate) fn beyond(&self, new: &Self) -> Vec<String> {
        let body = new.body.iter().filter(|pointer| !self.body.contains(pointer));
        let mut more: Vec<_> =
            body.map(|pointer| format!("secret arguments of calls in bodies at {pointer}")).collect();
        if new.basic && !self.basic {
            more.push("secret arguments of calls as passwords of HTTP Basic".into());
        }
        more
    }

    /// In words. None: nothing.
    pub(crate) fn describe(&self) -> Option<String> {
        let body = (!self.body.is_empty()).then(|| format!("in bodies at {}", self.body.join(", ")));
        let basic = self.basic.then(|| "as passwords of HTTP Basic".to_owned());
        let places: Vec<_> = body.into_iter().chain(basic).collect();
        (!places.is_empty()).then(|| format!("secret arguments of calls {}", places.join(" and ")))
    }

    /// As it stands in TOML.
    pub(crate) fn toml(&self) -> String {
        let body = (!self.body.is_empty()).then(|| format!("body = {:?}", self.body));
        let basic = self.basic.then(|| "basic = true".to_owned());
        let parts: Vec<_> = body.into_iter().chain(basic).collect();
        format!("{{ {} }}", parts.join(", "))
    }

    /// The line of a grant that has this pointer as well.
    pub(crate) fn with_body(&self, pointer: &str) -> String {
        let mut with = self.clone();
        with.body.push(pointer.to_owned());
        format!("{KEY} = {}", with.toml())
    }

    /// The line of a grant that has Basic as well.
    pub(crate) fn with_basic(&self) -> String {
        format!("{KEY} = {}", Self { basic: true, ..self.clone() }.toml())
    }
}
