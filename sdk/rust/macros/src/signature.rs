//! What a function must look like that the host calls.

use syn::spanned::Spanned as _;
use syn::{Error, FnArg, ItemFn, Pat, Result, ReturnType, Signature as FnSignature, Type};

/// The parts of a function that the expansion needs.
pub(crate) struct Signature<'a> {
    pub(crate) argument: Option<&'a Type>,
    pub(crate) output: &'a Type,
}

impl<'a> Signature<'a> {
    /// Fails with the first thing that a tool, resource or prompt cannot be.
    pub(crate) fn of(function: &'a ItemFn, what: &str) -> Result<Self> {
        let signature = &function.sig;
        plain(signature, what)?;
        let ReturnType::Type(_, output) = &signature.output else {
            let result = match what {
                "tool" => "`Result<T, Fault>`; `Result<(), Fault>` if there is nothing to say",
                _ => "`Result<T, Fault>`",
            };
            return Err(Error::new(signature.ident.span(), format!("a {what} returns {result}")));
        };
        if let Some(second) = signature.inputs.iter().nth(1) {
            return Err(Error::new(
                second.span(),
                format!("a {what} takes one argument: a struct whose fields are the {what}'s arguments"),
            ));
        }
        let argument = match signature.inputs.first() {
            None => None,
            Some(FnArg::Receiver(receiver)) => {
                return Err(Error::new(receiver.span(), format!("a {what} is a function and not a method")));
            }
            Some(FnArg::Typed(argument)) => match &*argument.ty {
                Type::Reference(reference) => {
                    return Err(Error::new(
                        reference.span(),
                        format!("a {what} takes its arguments by value"),
                    ));
                }
                Type::ImplTrait(any) => {
                    return Err(Error::new(
                        any.span(),
                        "name the type of the arguments: its schema is fixed",
                    ));
                }
                known => Some(known),
            },
        };
        Ok(Self { argument, output })
    }
}

/// Nothing but `fn name(…)`.
pub(crate) fn plain(signature: &FnSignature, what: &str) -> Result<()> {
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new(
            asyncness.span(),
            format!("a {what} is a plain function: calls to the host wait by themselves and hold up nobody"),
        ));
    }
    if let Some(unsafety) = &signature.unsafety {
        return Err(Error::new(unsafety.span(), format!("a {what} is a safe function")));
    }
    if let Some(abi) = &signature.abi {
        return Err(Error::new(abi.span(), format!("a {what} is a plain function, without `extern`")));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new(
            signature.generics.span(),
            format!("a {what} has no type parameters and no lifetimes: its schema is fixed"),
        ));
    }
    Ok(())
}

/// How many arguments a completion takes: the value that was typed so far, and perhaps what is given already.
pub(crate) fn of_completion(function: &ItemFn) -> Result<usize> {
    const WANTED: &str = "a completion takes what was typed so far, and may take what is given already: \
                          fn platforms(value: &str, given: &Given) -> Vec<String>";
    let signature = &function.sig;
    plain(signature, "completion")?;
    let wrong = |span: proc_macro2::Span| Error::new(span, WANTED);
    let references = signature.inputs.iter().all(|input| {
        matches!(input, FnArg::Typed(one) if matches!(*one.ty, Type::Reference(_)) && !is_self(&one.pat))
    });
    match (signature.inputs.len(), &signature.output) {
        (1 | 2, ReturnType::Type(..)) if references => Ok(signature.inputs.len()),
        _ => Err(wrong(signature.ident.span())),
    }
}

fn is_self(pattern: &Pat) -> bool {
    matches!(pattern, Pat::Ident(name) if name.ident == "self")
}

/// A handler of events takes a batch and answers for each event. Which types these are, the compiler checks.
pub(crate) fn of_events(function: &ItemFn) -> Result<()> {
    const WANTED: &str = "a handler takes a batch and answers for each event: \
                          fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>>";
    let signature = &function.sig;
    plain(signature, "handler")?;
    match (signature.inputs.len(), signature.inputs.first(), &signature.output) {
        (1, Some(FnArg::Typed(one)), ReturnType::Type(..)) if !is_self(&one.pat) => Ok(()),
        _ => Err(Error::new(signature.ident.span(), WANTED)),
    }
}
