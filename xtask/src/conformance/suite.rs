//! The suite as a program.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::checks::{self, Report};
use super::plan::Run;

/// How long one run may take. The longest needs about a minute.
const PATIENCE: Duration = Duration::from_secs(300);

/// The suite, as npm installed it. It has everything with it (the schemas of all protocol versions too) and reaches
/// nothing but the URL that it is given.
pub struct Suite {
    /// What runs it.
    pub node: PathBuf,
    /// Where it is installed, with `expected-failures.yml`.
    pub folder: PathBuf,
    /// Where results go: a folder for each run.
    pub results: PathBuf,
}

impl Suite {
    /// One run to its end, or to the end of our patience.
    pub fn run(&self, run: &Run, url: &str) -> Result<Report> {
        let results = self.results.join(&run.name);
        std::fs::create_dir_all(&results)?;
        let log = File::create(results.join("suite.log"))?;
        let started = Instant::now();
        let mut child = Command::new(&self.node)
            .arg(self.folder.join("node_modules/@modelcontextprotocol/conformance/dist/index.js"))
            .args(["server", "--url", url])
            .args(&run.arguments)
            .arg("--output-dir")
            .arg(&results)
            .arg("--expected-failures")
            .arg(self.folder.join("expected-failures.yml"))
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()
            .with_context(|| format!("{} does not start", self.node.display()))?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if started.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let mut report = checks::read(run, &results)?;
        report.took = started.elapsed();
        match status {
            None => report.broke(format!("it did not end within {} s", PATIENCE.as_secs())),
            // What failed is in the report; a failure that is not there must not get lost.
            Some(status) if !status.success() && report.passed() => {
                report.broke(format!("it ended with {status}, see {}", results.join("suite.log").display()));
            }
            Some(_) => {}
        }
        Ok(report)
    }
}
