//! A drop directory with its `fleetgate.toml`, and a host over it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use fleetgate_core::audit::Unrecorded;
use fleetgate_core::call::{CallContext, End, Refused, ToolCall};
use fleetgate_core::catalog::{Host, HostOptions, Scope, StartFailed, Survey};
use fleetgate_core::principal::{HeldRole, Principal};
use fleetgate_core::sandbox::compile::CompileIn;
use fleetgate_core::sandbox::{Nobody, Sandbox, SandboxOptions};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::fake::capabilities;
use super::guest::{Does, Guest, Listing, Tool, packed};

/// One engine for all tests: starting one reserves address space.
pub static SANDBOX: LazyLock<Arc<Sandbox>> = LazyLock::new(|| {
    let options = SandboxOptions { calls: 64, jobs: 16, ..SandboxOptions::default() };
    Sandbox::new(&options, &capabilities()).expect("a sandbox")
});

/// A guard against hanging for ever, and nothing that a test is about.
pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("it hangs")
}

pub struct Place {
    pub directory: TempDir,
}

impl Place {
    /// With these settings. Relative paths start there; the drop directory is `plugins`.
    pub fn new(settings: &str) -> Self {
        let place = Self { directory: TempDir::new().expect("a directory") };
        fs::create_dir(place.plugins()).expect("the drop directory");
        fs::set_permissions(place.plugins(), fs::Permissions::from_mode(0o755)).expect("its mode");
        place.settings(settings);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn plugins(&self) -> PathBuf {
        self.path("plugins")
    }

    pub fn settings_path(&self) -> PathBuf {
        self.path("fleetgate.toml")
    }

    pub fn settings(&self, text: &str) {
        write(&self.settings_path(), text.as_bytes());
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Puts a file into the drop directory in one step.
    pub fn drop_file(&self, id: &str, bytes: &[u8]) {
        write(&self.plugins().join(format!("{id}.wasm")), bytes);
    }

    pub fn drop_plugin(&self, plugin: &Plugin) {
        self.drop_file(&plugin.id, &plugin.bytes());
    }

    pub fn remove(&self, id: &str) {
        fs::remove_file(self.plugins().join(format!("{id}.wasm"))).expect("it was there");
    }

    pub fn options(&self) -> HostOptions {
        HostOptions { watch: false, ..HostOptions::new(self.settings_path(), CompileIn::ThisProcess) }
    }

    pub async fn start(&self) -> Arc<Host> {
        self.try_start(self.options()).await.unwrap_or_else(|failed| panic!("{failed}"))
    }

    pub async fn try_start(&self, options: HostOptions) -> Result<Arc<Host>, StartFailed> {
        in_time(Host::start(options, SANDBOX.clone(), capabilities(), Unrecorded::shared())).await
    }
}

/// Replaces a file in one step, as a careful program does.
pub fn write(path: &Path, bytes: &[u8]) {
    let draft = path.with_extension("draft");
    fs::write(&draft, bytes).expect("a draft");
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).expect("its mode");
    fs::rename(draft, path).expect("its name");
}

/// A plugin to drop.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub id: String,
    pub version: String,
    /// None: it exports no tools.
    pub listing: Option<Listing>,
    /// What it exports besides.
    pub guest: Guest,
    /// What stands in the manifest after `[plugin]`.
    pub manifest: String,
}

impl Plugin {
    /// With one tool, `look`, that everybody may call and that answers with the version.
    pub fn new(id: &str, version: &str) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            listing: Some(Listing::Tools(vec![Tool::new("look")])),
            guest: Guest::default(),
            manifest: "[tools.look]\nrequires = \"any\"\nread_only = true\n".into(),
        }
    }

    /// Without tools, and with nothing in the manifest.
    pub fn bare(id: &str) -> Self {
        Self { listing: None, manifest: String::new(), ..Self::new(id, "0.1.0") }
    }

    pub fn tools(self, tools: Vec<Tool>) -> Self {
        self.listing(Listing::Tools(tools))
    }

    pub fn listing(self, listing: Listing) -> Self {
        Self { listing: Some(listing), ..self }
    }

    pub fn exports(self, interface: &'static str, function: &'static str, does: Does) -> Self {
        Self { guest: self.guest.with(interface, function, does), ..self }
    }

    pub fn lists(self, interface: &'static str, function: &'static str, items: serde_json::Value) -> Self {
        Self { guest: self.guest.lists(interface, function, items), ..self }
    }

    pub fn and(self, more: &str) -> Self {
        Self { manifest: format!("{}{more}", self.manifest), ..self }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let Self { id, version, manifest, .. } = self;
        let about = format!(
            "[plugin]\nid = \"{id}\"\nversion = \"{version}\"\ninterface = \"0.1\"\ntitle = \"A plugin\"\n\
             description = \"For tests.\"\nlicense = \"Apache-2.0\"\n"
        );
        let mut guest = self.guest.clone();
        if let Some(listing) = &self.listing {
            guest = guest.tools(listing, &format!("{{\"version\":\"{version}\"}}"));
        }
        packed(guest.component(), &format!("{about}{manifest}"))
    }
}

/// A caller with these roles.
pub fn principal(roles: &[&str]) -> Principal {
    Principal::new("tester", roles.iter().map(|role| HeldRole::parse(role).expect("a role")))
}

/// A request of such a caller.
pub fn context(scope: Scope, roles: &[&str]) -> CallContext {
    CallContext {
        principal: principal(roles),
        scope,
        session: String::new(),
        client_capabilities: "{}".into(),
        cancel: CancellationToken::new(),
        observer: Arc::new(Nobody),
    }
}

/// Calls a tool and gives back the version that answered.
pub async fn version_of(host: &Host, binding: &str) -> Result<String, Refused> {
    let call = ToolCall {
        context: context(Scope::Binding(binding.into()), &[]),
        tool: "look".into(),
        arguments: "{}".into(),
        answers: None,
    };
    let answered = in_time(host.call_tool(&host.catalog(), call)).await?;
    let End::Done(result) = answered.end else { panic!("{:?}", answered.end) };
    let structured = result.structured.expect("a structured result");
    let value: serde_json::Value = serde_json::from_str(structured.get()).expect("JSON");
    Ok(value["version"].as_str().expect("a version").to_owned())
}

/// The bindings that are served.
pub fn served(host: &Host) -> Vec<String> {
    host.catalog().bindings().map(|binding| binding.name.to_string()).collect()
}

/// Why a plugin is broken, in words.
#[track_caller]
pub fn why_broken(survey: &Survey, id: &str) -> String {
    use fleetgate_core::catalog::PluginState;
    match &survey.plugin(id).expect("it is found").state {
        PluginState::Broken { why } => why.to_string(),
        other => panic!("{id} is {other:?}"),
    }
}
