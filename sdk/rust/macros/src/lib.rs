//! The attribute macro of `fleetgate-sdk`. Use it through that crate: `#[fleetgate_sdk::tool(...)]`.
//!
//! A tool's metadata has one place, the attribute beside the function. The macro checks it while the plugin is
//! compiled and turns it into the tool's manifest entry, one line of JSON, which `export!` of `fleetgate-sdk` puts
//! into the component's `fleetgate:tools` section for `fleetgate pack`.

use proc_macro2::TokenStream;

mod docs;
mod expand;
mod options;
mod signature;
mod value;

#[cfg(test)]
mod tests;

/// Makes a function a tool.
///
/// The function takes nothing or one argument (`Deserialize + JsonSchema`) and returns `Result<T, Fault>`. Its doc
/// comment is the tool's description. Beside the function stands a type of the same name that implements
/// `fleetgate_sdk::Tool`; `fleetgate_sdk::export!` takes it.
///
/// | key | value | meaning |
/// |---|---|---|
/// | `requires` | `"role"`, `["a", "b"]`, `"any"` | roles that the caller must hold, all of them; needed |
/// | `title` | text | name for people |
/// | `name` | text | name for programs; the function's name when absent |
/// | `read_only` | flag | enforced: changes nothing |
/// | `destructive` | flag | may destroy or overwrite |
/// | `idempotent` | flag | twice is the same as once |
/// | `open_world` | flag | reaches things outside the operator's control |
/// | `opt_in` | flag | not there until the operator enables it |
/// | `verbatim` | flag | the result is not cleaned of control characters |
/// | `timeout` | `"330s"` | wall time that the tool may need |
/// | `secret` | `["/password"]` | arguments that the guest never sees, as JSON pointers |
/// | `audit` | `["/host"]` | arguments that go into the audit record, as JSON pointers |
/// | `task` | `"optional"`, `"required"` | may or must run in the background |
/// | `asks_first` | flag | with `task`: it may ask before it begins its work |
/// | `reach` | `{ "http.api" = { methods = ["POST"], paths = ["/v2/**"] } }` | this tool's part of what the plugin was granted |
///
/// A flag may also be written as `read_only = true` or `read_only = false`.
#[proc_macro_attribute]
pub fn tool(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    match expand::tool(options.into(), item.clone()) {
        Ok(expanded) => expanded.into(),
        // The function stays, so that the one mistake is not followed by "cannot find function".
        Err(error) => {
            let error = error.into_compile_error();
            quote::quote!(#item #error).into()
        }
    }
}
