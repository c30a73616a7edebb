//! Literals of the attribute as JSON: text, booleans, numbers, `[lists]` and `{ "tables" = … }`.

use proc_macro2::Span;
use serde_json::{Map, Value};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Lit, LitStr, Token, braced, bracketed, token};

/// A value and where it stands.
pub(crate) struct Literal {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

impl Parse for Literal {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let value = if input.peek(token::Bracket) {
            let inside;
            bracketed!(inside in input);
            let mut items = Vec::new();
            while !inside.is_empty() {
                items.push(inside.parse::<Literal>()?.value);
                comma(&inside)?;
            }
            Value::Array(items)
        } else if input.peek(token::Brace) {
            let inside;
            braced!(inside in input);
            table(&inside)?
        } else if input.peek(Lit) {
            scalar(input.parse()?)?
        } else {
            return Err(
                input.error("expected text in quotes, a number, true, false, a [list] or a { table }")
            );
        };
        Ok(Self { value, span })
    }
}

/// Keys are names or text in quotes, followed by `=` or `:`.
fn table(input: ParseStream<'_>) -> syn::Result<Value> {
    let mut table = Map::new();
    while !input.is_empty() {
        let span = input.span();
        let key = if input.peek(LitStr) {
            input.parse::<LitStr>()?.value()
        } else {
            Ident::parse_any(input)?.to_string()
        };
        if input.peek(Token![:]) {
            input.parse::<Token![:]>()?;
        } else {
            input.parse::<Token![=]>()?;
        }
        let value = input.parse::<Literal>()?.value;
        if table.insert(key.clone(), value).is_some() {
            return Err(syn::Error::new(span, format!("`{key}` stands here twice")));
        }
        comma(input)?;
    }
    Ok(Value::Object(table))
}

fn scalar(literal: Lit) -> syn::Result<Value> {
    match &literal {
        Lit::Str(text) => Ok(Value::from(text.value())),
        Lit::Bool(flag) => Ok(Value::from(flag.value)),
        Lit::Int(number) => Ok(Value::from(number.base10_parse::<i64>()?)),
        Lit::Float(number) => Ok(Value::from(number.base10_parse::<f64>()?)),
        _ => Err(syn::Error::new(literal.span(), "expected text in quotes, a number, true or false")),
    }
}

/// Between two items there is a comma; after the last there may be one.
pub(crate) fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}
