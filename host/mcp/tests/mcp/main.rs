//! What clients get from the catalog: over HTTP and stdio, in both protocol eras, from a backend that needs no plugins.

mod asking;
mod backend;
mod calls;
mod cancelling;
mod changes;
mod completions;
mod endpoints;
mod forbidden;
mod front;
mod headers;
mod lists;
mod prompts;
mod resource_lists;
mod resources;
mod running;
mod session_key;
mod sessions;
mod shutdown;
mod skills;
mod stdio;
mod subscriptions;
mod surfaces;
mod talking;
