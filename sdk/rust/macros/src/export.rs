//! `export!`: the one line that makes a crate a plugin.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Ident, Path, Result, Token};

use crate::keys;
use crate::value::comma;

/// What a plugin has, in the order in which the interface names it.
const SECTIONS: [Section; 6] = [
    Section { name: "tools", of: "Tool", unique: "NAME", entry: "ToolEntry", manifest: true },
    Section { name: "resources", of: "Resource", unique: "URI", entry: "ResourceEntry", manifest: true },
    Section { name: "prompts", of: "Prompt", unique: "NAME", entry: "PromptEntry", manifest: true },
    Section { name: "completions", of: "Complete", unique: "", entry: "CompletionEntry", manifest: false },
    Section { name: "skills", of: "Skill", unique: "PATH", entry: "SkillEntry", manifest: true },
    Section { name: "events", of: "Events", unique: "", entry: "EventsEntry", manifest: false },
];

struct Section {
    name: &'static str,
    /// The trait of what stands in it.
    of: &'static str,
    /// The trait's constant that no two may share.
    unique: &'static str,
    /// The type of its row in the plugin's table.
    entry: &'static str,
    /// Whether it has lines in the manifest.
    manifest: bool,
}

/// `a, b`, or `tools: a, b; resources: c`.
pub(crate) struct Exports([Vec<Path>; SECTIONS.len()]);

impl Parse for Exports {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut exports = Self(Default::default());
        let mut seen = [false; SECTIONS.len()];
        if !(input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::])) {
            exports.0[0] = paths(input)?;
            seen[0] = true;
        }
        while !input.is_empty() {
            let name = Ident::parse_any(input).map_err(|error| Error::new(error.span(), EXPECTED))?;
            let Some(section) = SECTIONS.iter().position(|section| name == section.name) else {
                return Err(keys::unknown(&name, "export!", &SECTIONS.map(|section| section.name)));
            };
            input.parse::<Token![:]>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            if std::mem::replace(&mut seen[section], true) {
                return Err(Error::new(name.span(), format!("`{name}` stands here twice")));
            }
            exports.0[section] = paths(input)?;
            if exports.0[section].is_empty() {
                return Err(Error::new(name.span(), format!("`{name}` names nothing; leave it out")));
            }
            if let ("events", [_, second, ..]) = (SECTIONS[section].name, &*exports.0[section]) {
                return Err(Error::new(second.span(), ONE_HANDLER));
            }
            if !input.is_empty() {
                input.parse::<Token![;]>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            }
        }
        if exports.0.iter().all(Vec::is_empty) {
            return Err(Error::new(Span::call_site(), "a plugin without anything is none: export!(a_tool)"));
        }
        Ok(exports)
    }
}

const EXPECTED: &str = "expected tools: a, b; resources: c; prompts: d; completions: e; skills: F; events: g; or tools alone: a, b";

const ONE_HANDLER: &str = "a plugin has one handler of events; it can tell them apart by their source";

fn paths(input: ParseStream<'_>) -> Result<Vec<Path>> {
    let mut paths = Vec::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        paths.push(input.call(Path::parse_mod_style).map_err(|error| Error::new(error.span(), EXPECTED))?);
        if input.peek(Token![;]) {
            break;
        }
        comma(input)?;
    }
    Ok(paths)
}

/// Expands `export!(…)`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let exports: Exports = syn::parse2(input)?;
    let (mut tables, mut uniques, mut lines, mut bindings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (section, paths) in SECTIONS.iter().zip(&exports.0) {
        if paths.is_empty() {
            continue;
        }
        let (table, of) = (format_ident!("{}", section.name.to_uppercase()), format_ident!("{}", section.of));
        let entry = format_ident!("{}", section.entry);
        let rows = paths
            .iter()
            .map(|path| quote_spanned!(path.span() => ::fleetgate_sdk::plugin::#entry::of::<#path>()));
        tables.push(quote! {
            const #table: &'static [::fleetgate_sdk::plugin::#entry] = &[#(#rows),*];
        });
        if section.manifest {
            let (unique, message) = (format_ident!("{}", section.unique), twice(section));
            uniques.push(quote! {
                const _: () = ::fleetgate_sdk::plugin::assert_unique(
                    &[#(<#paths as ::fleetgate_sdk::#of>::#unique),*],
                    #message,
                );
            });
            lines.extend(paths.iter().map(|path| quote!(<#path as ::fleetgate_sdk::#of>::MANIFEST)));
        }
        let export = format_ident!("export_{}", section.name);
        let with = format_ident!("with_{}", section.name);
        bindings.push(quote! {
            #[cfg(target_arch = "wasm32")]
            ::fleetgate_sdk::bindings::#with::#export!(Exported with_types_in ::fleetgate_sdk::bindings::#with);
        });
    }

    Ok(quote! {
        /// What this plugin exports.
        pub struct Exported;

        impl ::fleetgate_sdk::Plugin for Exported {
            #(#tables)*
            const MANIFEST: &'static [&'static str] = &[#(#lines),*];
        }

        #(#uniques)*

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const LINES: &[&str] = <Exported as ::fleetgate_sdk::Plugin>::MANIFEST;
            const LENGTH: usize = ::fleetgate_sdk::plugin::length_of(LINES);

            #[used]
            #[unsafe(link_section = "fleetgate:entries")]
            static ENTRIES: [u8; LENGTH] = ::fleetgate_sdk::plugin::joined::<LENGTH>(LINES);
        };

        #(#bindings)*
    })
}

fn twice(section: &Section) -> String {
    match section.name {
        "tools" => {
            "two of the exported tools have the same name; give one another: #[tool(name = \"…\")]".to_owned()
        }
        "prompts" => {
            "two of the exported prompts have the same name; give one another: #[prompt(name = \"…\")]"
                .to_owned()
        }
        "resources" => "two of the exported resources have the same URI".to_owned(),
        other => format!("two of the exported {other} have the same path"),
    }
}
