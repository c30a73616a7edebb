//! `#[resource]` and `#[template]`: the function, and beside it the type that implements `fleetgate_sdk::Resource`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use serde_json::{Map, Value};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Ident, ItemFn, Path, Result};

use crate::about::{About, optional};
use crate::item;
use crate::keys::{self, requires, text, value};
use crate::signature::Signature;
use crate::uri::{self, Part};

const OF_RESOURCE: [&str; 9] =
    ["uri", "requires", "name", "title", "mime_type", "size", "icons", "meta", "annotations"];
const OF_TEMPLATE: [&str; 9] =
    ["uri", "requires", "name", "title", "mime_type", "list", "icons", "meta", "annotations"];

struct Options {
    uri: String,
    parts: Vec<Part>,
    requires: Value,
    about: About,
    mime_type: Option<String>,
    size: Option<u64>,
    list: Option<Path>,
}

/// Keys of one of the two attributes.
struct Keys {
    attribute: &'static str,
    uri: Option<(String, Vec<Part>)>,
    requires: Option<Value>,
    about: About,
    mime_type: Option<String>,
    size: Option<u64>,
    list: Option<Path>,
}

impl Keys {
    fn of(attribute: &'static str) -> Self {
        Self {
            attribute,
            uri: None,
            requires: None,
            about: About::default(),
            mime_type: None,
            size: None,
            list: None,
        }
    }

    fn read(mut self, input: ParseStream<'_>) -> Result<Options> {
        let known = if self.attribute == "template" { &OF_TEMPLATE } else { &OF_RESOURCE };
        let attribute = self.attribute;
        keys::read(input, attribute, known, |key, name, input| self.take(key, name, input))?;
        let Some((uri, parts)) = self.uri else {
            return Err(Error::new(
                proc_macro2::Span::call_site(),
                format!("say where it lies: #[{attribute}(uri = \"scheme://…\")]"),
            ));
        };
        let Some(requires) = self.requires else { return Err(keys::nobody(attribute, "read this")) };
        let (about, mime_type, size, list) = (self.about, self.mime_type, self.size, self.list);
        Ok(Options { uri, parts, requires, about, mime_type, size, list })
    }

    fn take(&mut self, key: &Ident, name: &str, input: ParseStream<'_>) -> Result<()> {
        match name {
            "uri" => {
                let literal = value(key, input)?;
                let span = literal.span;
                let uri = text(literal, "a URI")?;
                let wrong = |message: String| Error::new(span, message);
                let parts = uri::parts(&uri).map_err(wrong)?;
                let variable = uri::names(&parts).next().map(str::to_owned);
                match (self.attribute, variable) {
                    ("resource", Some(variable)) => {
                        return Err(wrong(format!(
                            "{{{variable}}} makes it a template: write #[template(…)], or {{ and }} as %7B and %7D"
                        )));
                    }
                    ("template", None) => {
                        return Err(wrong(
                            "a template has a variable, like {id}; one thing alone is a #[resource(…)]"
                                .to_owned(),
                        ));
                    }
                    _ => self.uri = Some((uri, parts)),
                }
            }
            "requires" => self.requires = Some(requires(value(key, input)?)?),
            "mime_type" => self.mime_type = Some(mime_type(key, input)?),
            "size" => {
                let literal = value(key, input)?;
                let wrong = "expected a number of bytes: size = 1024";
                self.size = Some(literal.value.as_u64().ok_or_else(|| Error::new(literal.span, wrong))?);
            }
            "list" => {
                let what = "the name of the function that lists what there is: \
                            fn list(cursor: Option<&str>) -> Result<ResourcePage, Fault>";
                self.list = Some(keys::path(key, input, what)?);
            }
            _ => self.about.take(self.attribute, name, value(key, input)?)?,
        }
        Ok(())
    }
}

fn mime_type(key: &Ident, input: ParseStream<'_>) -> Result<String> {
    let literal = value(key, input)?;
    let span = literal.span;
    let mime = text(literal, "a media type")?;
    if mime.contains('/') && mime.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Ok(mime);
    }
    Err(Error::new(span, "expected a media type: mime_type = \"application/json\""))
}

struct OfResource(Options);

impl Parse for OfResource {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Keys::of("resource").read(input).map(Self)
    }
}

struct OfTemplate(Options);

impl Parse for OfTemplate {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Keys::of("template").read(input).map(Self)
    }
}

/// Expands `#[resource(options)] item`.
pub(crate) fn expand_resource(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("resource", item)?;
    let OfResource(options) = syn::parse2(options)?;
    let signature = Signature::of(&function, "resource")?;
    if let Some(argument) = signature.argument {
        return Err(Error::new(
            argument.span(),
            "a resource takes nothing; what has variables is a #[template]",
        ));
    }
    let ident = &function.sig.ident;
    let read = quote_spanned!(signature.output.span() => ::fleetgate_sdk::resource::read_without(#ident));
    let nothing = quote!(::core::result::Result::Ok(()));
    expansion(&function, &options, &nothing, &read)
}

/// Expands `#[template(options)] item`.
pub(crate) fn expand_template(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = item::function("template", item)?;
    let OfTemplate(options) = syn::parse2(options)?;
    let signature = Signature::of(&function, "template")?;
    let ident = &function.sig.ident;
    let Some(argument) = signature.argument else {
        return Err(Error::new(
            ident.span(),
            "a template takes a struct whose fields are the variables of its URI",
        ));
    };
    let check = quote_spanned!(argument.span() => ::fleetgate_sdk::resource::check::<#argument>(Self::URI, Self::PARTS));
    let read =
        quote_spanned!(signature.output.span() => ::fleetgate_sdk::resource::read_with(#ident, variables));
    expansion(&function, &options, &check, &read)
}

fn expansion(
    function: &ItemFn,
    options: &Options,
    check: &TokenStream,
    read: &TokenStream,
) -> Result<TokenStream> {
    let ident = &function.sig.ident;
    let description = item::description(function, "a model chooses what to read by it")?;
    let entry = Map::from_iter([("requires".to_owned(), options.requires.clone())]);
    let manifest = item::manifest_entry("resource", &uri::pattern(&options.parts), entry);
    let name = options.about.name.clone().unwrap_or_else(|| item::name(function));
    let uri = &options.uri;
    let mime_type = optional(options.mime_type.as_deref());
    let size = match options.size {
        Some(size) => quote!(::core::option::Option::Some(#size)),
        None => quote!(::core::option::Option::None),
    };
    let list = match &options.list {
        Some(list) => quote_spanned! {
            list.span() => ::core::option::Option::Some(|cursor| ::fleetgate_sdk::resource::page(#list(cursor)))
        },
        None => quote!(::core::option::Option::None),
    };
    let parts = options.parts.iter().map(|part| match part {
        Part::Literal(text) => quote!(::fleetgate_sdk::resource::Part::Literal(#text)),
        Part::Segment(name) => quote!(::fleetgate_sdk::resource::Part::Segment(#name)),
        Part::Rest(name) => quote!(::fleetgate_sdk::resource::Part::Rest(#name)),
    });
    let (marker, constants, watched) =
        (item::marker(&function.vis, ident), options.about.constants(), options.about.watched());

    Ok(quote! {
        #function

        #marker

        impl ::fleetgate_sdk::Resource for #ident {
            const URI: &'static str = #uri;
            const PARTS: &'static [::fleetgate_sdk::resource::Part] = &[#(#parts),*];
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;
            const MIME_TYPE: ::core::option::Option<&'static str> = #mime_type;
            const SIZE: ::core::option::Option<u64> = #size;
            const MANIFEST: &'static str = #manifest;
            const LIST: ::core::option::Option<::fleetgate_sdk::resource::List> = #list;
            #constants

            fn check() -> ::core::result::Result<(), ::fleetgate_sdk::Fault> {
                #check
            }

            #[allow(unused_variables)]
            fn read(
                variables: &::fleetgate_sdk::resource::Variables,
            ) -> ::core::result::Result<
                ::fleetgate_sdk::Outcome<::std::vec::Vec<::fleetgate_sdk::Content>>,
                ::fleetgate_sdk::Fault,
            > {
                #read
            }
        }

        #watched
    })
}
