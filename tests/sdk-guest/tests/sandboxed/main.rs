//! The SDK inside a component: the same promises as natively, with real imports.

mod calls;
mod component;
mod host;
mod http;
mod surfaces;
mod upstream;
