//! The child's side of compiling. It trusts nothing but its parent and its own limits.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::super::cache::{engine_hash, hex};
use super::{OTHER_ENGINE, REFUSED};
use crate::sandbox::code_config;

/// How much less important than serving calls it is to compile.
const NICER: i32 = 10;

/// Compiles one component from stdin into the file on stdout, and ends the process. The program calls it first
/// thing for its subcommand [`super::SUBCOMMAND`], with the arguments behind that.
pub fn child_main(arguments: impl IntoIterator<Item = OsString>) -> ! {
    let code = Wanted::parse(arguments).and_then(|wanted| wanted.compile()).unwrap_or_else(|error| {
        eprintln!("{error}");
        1
    });
    std::process::exit(code)
}

/// What the parent asked for.
struct Wanted {
    memory: u64,
    cpu: u64,
    output: u64,
    engine_hash: String,
}

impl Wanted {
    fn parse(arguments: impl IntoIterator<Item = OsString>) -> io::Result<Self> {
        let texts: Option<Vec<String>> = arguments.into_iter().map(|text| text.into_string().ok()).collect();
        let number = |text: &String| text.parse().ok();
        if let Some([memory, cpu, output, hash]) = texts.as_deref()
            && let (Some(memory), Some(cpu), Some(output)) = (number(memory), number(cpu), number(output))
        {
            return Ok(Self { memory, cpu, output, engine_hash: hash.clone() });
        }
        Err(io::Error::other("this subcommand is for the program itself"))
    }

    fn compile(self) -> io::Result<i32> {
        self.bound()?;
        let component = read_component()?;
        let engine = Engine::new(&code_config()).map_err(|error| io::Error::other(format!("{error:#}")))?;
        if hex(&engine_hash(&engine)) != self.engine_hash {
            return Ok(OTHER_ENGINE);
        }
        match engine.precompile_component(&component) {
            Ok(code) => write_code(&code).map(|()| 0),
            Err(error) => {
                eprintln!("{error:#}");
                Ok(REFUSED)
            }
        }
    }

    /// Bounds this process before it sees the first byte of the component.
    fn bound(&self) -> io::Result<()> {
        limit(Resource::Core, 0)?;
        limit(Resource::Cpu, self.cpu)?;
        limit(Resource::Fsize, self.output)?;
        // Data is what counts on Linux: private memory that may be written. The address space holds the program
        // and what allocators reserve without using it as well.
        limit(Resource::Data, self.memory)?;
        limit(Resource::As, self.memory.saturating_mul(2))?;
        // Serving comes first, and if the machine runs out of memory, this is what should go.
        let _ = rustix::process::nice(NICER);
        if cfg!(target_os = "linux") {
            let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        }
        Ok(())
    }
}

/// Lowers a limit, and leaves one that is lower already.
fn limit(resource: Resource, wanted: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let least = |limit: Option<u64>| Some(limit.map_or(wanted, |limit| limit.min(wanted)));
    let maximum = match resource {
        // The first signal names the limit; the second one cannot be ignored.
        Resource::Cpu => Some(now.maximum.map_or(wanted + 5, |limit| limit.min(wanted + 5))),
        _ => least(now.maximum),
    };
    Ok(setrlimit(resource, Rlimit { current: least(now.current), maximum })?)
}

/// The component; from then on the end of stdin ends this process, since its host is gone.
fn read_component() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    let mut length = [0; 8];
    stdin.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let mut component = Vec::new();
    if (&mut stdin).take(length).read_to_end(&mut component)? as u64 != length {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    drop(stdin);
    std::thread::Builder::new().name("host-gone".into()).spawn(|| {
        let mut rest = [0];
        while matches!(io::stdin().lock().read(&mut rest), Ok(1..)) {}
        std::process::exit(1);
    })?;
    Ok(component)
}

/// Writes the machine code as the whole content of the file on stdout.
fn write_code(code: &[u8]) -> io::Result<()> {
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    // Whatever a runtime printed before is no machine code.
    output.set_len(0)?;
    output.rewind()?;
    output.write_all(code)
}
