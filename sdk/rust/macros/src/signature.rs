//! What a tool's function must look like.

use syn::spanned::Spanned as _;
use syn::{Error, FnArg, ItemFn, Result, ReturnType, Type};

/// The parts of a function that the expansion needs.
pub(crate) struct Signature<'a> {
    pub(crate) argument: Option<&'a Type>,
    pub(crate) output: &'a Type,
}

impl<'a> Signature<'a> {
    /// Fails with the first thing that a tool cannot be.
    pub(crate) fn of(function: &'a ItemFn) -> Result<Self> {
        let signature = &function.sig;
        if let Some(asyncness) = &signature.asyncness {
            return Err(Error::new(
                asyncness.span(),
                "a tool is a plain function: calls to the host wait by themselves and hold up nobody",
            ));
        }
        if let Some(unsafety) = &signature.unsafety {
            return Err(Error::new(unsafety.span(), "a tool is a safe function"));
        }
        if let Some(abi) = &signature.abi {
            return Err(Error::new(abi.span(), "a tool is a plain function, without `extern`"));
        }
        if !signature.generics.params.is_empty() {
            return Err(Error::new(
                signature.generics.span(),
                "a tool has no type parameters and no lifetimes: its schema is fixed",
            ));
        }
        let ReturnType::Type(_, output) = &signature.output else {
            return Err(Error::new(
                signature.ident.span(),
                "a tool returns `Result<T, Fault>`; `Result<(), Fault>` if there is nothing to say",
            ));
        };
        if let Some(second) = signature.inputs.iter().nth(1) {
            return Err(Error::new(
                second.span(),
                "a tool takes one argument: a struct whose fields are the tool's arguments",
            ));
        }
        let argument = match signature.inputs.first() {
            None => None,
            Some(FnArg::Receiver(receiver)) => {
                return Err(Error::new(receiver.span(), "a tool is a function and not a method"));
            }
            Some(FnArg::Typed(argument)) => match &*argument.ty {
                Type::Reference(reference) => {
                    return Err(Error::new(reference.span(), "a tool takes its arguments by value"));
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
