//! A device of the fleet's simulation behind the harness: what the plugin types goes over SSH to it, and what it says
//! until it is silent for a moment comes back.

use std::sync::Arc;
use std::time::Duration;

use fleet_sim::devices::{Device as Simulated, Devices, Setup};
use fleetgate_sdk::ssh::{Key, Output, Secret};
use fleetgate_sdk::testing::{Device, Reply, Typed};
use russh::client::{self, AuthResult, Handle, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelMsg};
use tokio::runtime::Runtime;

/// So long it is silent when it has said all.
const QUIET: Duration = Duration::from_millis(200);
/// So long it may be silent before it has said all, as far as one can see.
const WITHIN: Duration = Duration::from_secs(3);
/// So long its first word may take.
const FIRST: Duration = Duration::from_secs(10);

struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// A device, with a terminal that was opened on it.
pub struct Sim {
    runtime: Runtime,
    devices: Devices,
    /// The connection lives as long as this.
    _handle: Handle<Trusting>,
    channel: Channel<Msg>,
}

impl Sim {
    /// Starts it, and logs in.
    fn start(setup: Setup) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let devices = runtime.block_on(Devices::start([setup])).expect("the device starts");
        let (handle, channel) = runtime.block_on(sit_down(&devices.all()[0]));
        Self { runtime, devices, _handle: handle, channel }
    }

    fn device(&self) -> &Simulated {
        &self.devices.all()[0]
    }

    fn press(&mut self, typed: &Typed) {
        let text = match typed {
            Typed::Line(line) => format!("{line}\r"),
            Typed::Secret(Secret::Enable) => format!("{}\r", self.device().enable().unwrap_or("wrong")),
            Typed::Secret(_) => format!("{}\r", self.device().password()),
            Typed::Key(key) => match key {
                Key::Enter => "\r",
                Key::Space => " ",
                Key::Q => "q",
                Key::Y => "y",
                Key::N => "n",
                Key::CtrlC => "\u{3}",
                _ => "\u{1a}",
            }
            .to_owned(),
            Typed::Bytes(_) => panic!("the plugin types no bytes"),
        };
        self.runtime.block_on(self.channel.data_bytes(text.into_bytes())).expect("the terminal is open");
    }

    /// What it says until it is silent, and whether it closed the terminal.
    fn said(&mut self) -> (Vec<u8>, bool) {
        let channel = &mut self.channel;
        self.runtime.block_on(async {
            let (mut said, mut patience) = (Vec::new(), FIRST);
            loop {
                match tokio::time::timeout(patience, channel.wait()).await {
                    Err(_) => return (said, false),
                    Ok(Some(ChannelMsg::Data { data })) => {
                        said.extend_from_slice(&data);
                        patience = if seems_whole(&said) { QUIET } else { WITHIN };
                    }
                    Ok(Some(ChannelMsg::Close) | None) => return (said, true),
                    Ok(Some(_)) => {}
                }
            }
        })
    }
}

/// Whether this is more than what was typed, and ends in the middle of a line, as what waits for an answer does.
fn seems_whole(said: &[u8]) -> bool {
    said.contains(&b'\n') && !said.ends_with(b"\n") && !said.ends_with(b"\r")
}

async fn sit_down(device: &Simulated) -> (Handle<Trusting>, Channel<Msg>) {
    let config = Arc::new(client::Config::default());
    let mut handle = client::connect(config, device.address(), Trusting).await.expect("a connection");
    let (user, password) = (device.user(), device.password());
    let let_in = handle.authenticate_password(user, password).await;
    if !matches!(let_in, Ok(AuthResult::Success)) {
        handle.authenticate_keyboard_interactive_start(user, None::<String>).await.expect("a question");
        handle.authenticate_keyboard_interactive_respond(vec![password.to_owned()]).await.expect("let in");
    }
    let channel = handle.channel_open_session().await.expect("a session");
    channel.request_pty(true, "vt100", 511, 1000, 0, 0, &[]).await.expect("a terminal");
    channel.request_shell(true).await.expect("a shell");
    (handle, channel)
}

/// The device for the harness. Its commands without a terminal are these; all terminals on it are one, and each begins
/// with what the first one began with.
pub fn simulated(setup: Setup, commands: &[(&str, &str)]) -> Device {
    let mut sim = Sim::start(setup);
    let (greeting, _) = sim.said();
    let mut device = Device::new().says(greeting);
    for (command, stdout) in commands {
        let output = Output { stdout: stdout.as_bytes().to_vec(), exit_status: Some(0), ..Output::default() };
        device = device.answers(command, output);
    }
    device.replies(move |typed| {
        sim.press(typed);
        let (said, closed) = sim.said();
        let reply = Reply::new().says(said);
        if closed { reply.closes(None) } else { reply }
    })
}
