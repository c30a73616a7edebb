//! The macros of `fleetgate-sdk`. Use them through that crate: `#[fleetgate_sdk::tool(...)]`.
//!
//! Metadata has one place, the attribute beside the function. The macro checks it while the plugin is compiled and
//! turns it into a manifest entry, one line of JSON, which `export!` puts into the component's `fleetgate:entries`
//! section for `fleetgate pack`.

use proc_macro2::TokenStream;

mod about;
mod complete;
mod docs;
mod events;
mod export;
mod file;
mod item;
mod keys;
mod options;
mod prompt;
mod resource;
mod signature;
mod skill;
mod tool;
mod uri;
mod value;
mod yaml;

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
/// | `input_schema`, `output_schema` | `SCHEMA` | JSON Schema as it is: a constant of text or a function that returns a `Value` |
/// | `icons` | `["assets/lamp.svg"]` | pictures: files of the crate, at most 16 KiB each, or `data:` URIs |
/// | `meta` | `{ "com.example/key" = "value" }` | MCP `_meta` |
///
/// A flag may also be written as `read_only = true` or `read_only = false`.
#[proc_macro_attribute]
pub fn tool(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(tool::expand, options, item)
}

/// Makes a function a resource: one thing that a client may read by its URI.
///
/// The function takes nothing and returns `Result<T, Fault>`, where `T` is text, bytes, `Json`, `Content`, a list of
/// those, or an `Outcome`. Its doc comment is the description. `export!` takes it under `resources:`.
///
/// | key | value | meaning |
/// |---|---|---|
/// | `uri` | `"naas://jobs"` | where it lies, in the plugin's own scheme; needed |
/// | `requires` | as for `#[tool]` | who may read it; needed |
/// | `name`, `title` | text | for programs (the function's name when absent), for people |
/// | `mime_type` | `"application/json"` | its media type |
/// | `size` | `1024` | its bytes, where they are known |
/// | `annotations` | `{ audience = ["user"], priority = 0.5 }` | hints for clients |
/// | `icons`, `meta` | as for `#[tool]` | |
#[proc_macro_attribute]
pub fn resource(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(resource::expand_resource, options, item)
}

/// Makes a function a family of resources.
///
/// The URI is a template of RFC 6570: `{id}` is something without a slash, `{+path}` may have slashes. The function
/// takes a struct with a field for each variable (text, numbers, flags, enums without fields), decoded. What does not
/// fit is not there: the client is told that the URI is unknown. Keys as for `#[resource]`, without `size`, and:
///
/// | key | value | meaning |
/// |---|---|---|
/// | `list` | `list_jobs` | a function that lists what there is: `fn(Option<&str>) -> Result<ResourcePage, Fault>` |
#[proc_macro_attribute]
pub fn template(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(resource::expand_template, options, item)
}

/// Makes a function a prompt: something from which a person starts.
///
/// The function takes nothing or a struct of text fields (`Option` for those that may be left out) and returns
/// `Result<T, Fault>`, where `T` is text, `PromptMessage`, a list of those, or an `Outcome`. Its doc comment is the
/// description, the fields' those of the arguments. `export!` takes it under `prompts:`. Keys: `requires` (needed),
/// `name`, `title`, `icons`, `meta`.
#[proc_macro_attribute]
pub fn prompt(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(prompt::expand, options, item)
}

/// Makes a function complete an argument: `#[complete(prompt = config_push, argument = "platform")]`, or
/// `template = job` for a variable of a URI.
///
/// The function takes what was typed so far, and may take what is given already: `fn platforms(value: &str, given:
/// &Given)`. It returns a list of text, a `Completion`, or a `Result` of those. `export!` takes it under
/// `completions:`.
#[proc_macro_attribute]
pub fn complete(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(complete::expand, options, item)
}

/// Makes a directory a skill: `#[skill("skills/push-config", requires = "operator")] struct PushConfig;`
///
/// The directory lies beside `Cargo.toml` and has a `SKILL.md` whose front matter names and describes the skill. All
/// its files become part of the plugin, but for those whose names begin with a dot. A file that changes builds the
/// plugin again; a new one is found when the crate is built again for another reason (a change of `SKILL.md`, which
/// should name it). `path = "network/push-config"` puts it elsewhere than under its own name. `export!` takes it under
/// `skills:`.
#[proc_macro_attribute]
pub fn skill(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(skill::expand, options, item)
}

/// Makes a function the handler of the plugin's events: `fn handle(batch: Vec<Event>) -> Vec<Result<(), Fault>>`.
///
/// What happens stands in the manifest: `[capabilities.events.telemetry]` with the filters of a standing subscription,
/// or with `every` for a schedule. The function gets some of it at once, in order, and answers for each event. One that
/// failed comes again, with the same id: storing twice must be storing once. Nobody calls: there is no principal, and
/// what the handler may do besides reading and keeping stands in the grant. `export!` takes it under `events:`, one for
/// each plugin.
#[proc_macro_attribute]
pub fn events(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    beside(events::expand, options, item)
}

/// Exports what a plugin has, by the names of the functions. Once for each plugin.
///
/// ```ignore
/// fleetgate_sdk::export!(list_devices, devices::reboot);    // tools alone
/// fleetgate_sdk::export! {
///     tools: send_command;
///     resources: jobs, job;
///     prompts: config_push;
///     completions: platforms;
///     skills: PushConfig;
///     events: handle;
/// }
/// ```
///
/// The component exports the interfaces of the sections that stand here and no others, so that clients are told of
/// nothing that is not there. It defines a type `Exported` with everything (see `fleetgate_sdk::Plugin`), which tests
/// may look at, and writes the manifest entries into the custom section `fleetgate:entries`, where `fleetgate pack`
/// finds them.
#[proc_macro]
pub fn export(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    export::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn beside(
    expand: fn(TokenStream, TokenStream) -> syn::Result<TokenStream>,
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    let item = TokenStream::from(item);
    match expand(options.into(), item.clone()) {
        Ok(expanded) => expanded.into(),
        // The item stays, so that the one mistake is not followed by "cannot find function".
        Err(error) => {
            let error = error.into_compile_error();
            quote::quote!(#item #error).into()
        }
    }
}
