//! What clients get from the catalog: over HTTP and stdio, in both protocol eras, from a backend that needs no plugins.

mod asking;
mod backend;
mod calls;
mod cancelling;
mod changes;
mod endpoints;
mod forbidden;
mod front;
mod lists;
mod running;
mod session_key;
mod sessions;
mod shutdown;
mod stdio;
mod talking;
