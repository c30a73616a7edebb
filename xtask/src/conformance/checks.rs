//! What the suite wrote down, and what that comes to.
//!
//! Each scenario has a folder `server-<scenario>-<time>` with `checks.json`, a list of checks with a status each.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::plan::Run;

/// Checks that the suite skips for every server. Any other skip is a failure: what the suite does not find (a
/// capability, a fixture), it skips, and a host that declares nothing would pass.
const SKIPPED_ALWAYS: [&str; 1] = ["tasks-status-notifications"];

/// One run's results.
#[derive(Debug)]
pub struct Report {
    name: String,
    scenarios: Vec<Scenario>,
    broken: Vec<String>,
    /// How long the run took.
    pub took: Duration,
}

#[derive(Debug)]
struct Scenario {
    name: String,
    checks: Vec<Check>,
}

#[derive(Debug)]
struct Check {
    id: String,
    outcome: Outcome,
    /// Why it failed or was skipped.
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// Warnings too: what a server should do, ours does.
    Failed,
    /// By the suite, whatever the server does.
    Skipped,
    /// A note that decides nothing.
    Noted,
}

/// Sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    scenarios: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Reads the results of a run.
pub fn read(run: &Run, results: &Path) -> Result<Report> {
    let mut scenarios = Vec::new();
    let mut broken = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(results)?.collect::<Result<_, _>>()?;
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for folder in folders.iter().filter(|entry| entry.path().is_dir()) {
        let file = folder.file_name().to_string_lossy().into_owned();
        let name = scenario_of(&file).with_context(|| format!("{file} is no result of the suite"))?;
        match std::fs::read_to_string(folder.path().join("checks.json")) {
            Ok(text) => scenarios.push(scenario(name, &text).with_context(|| format!("results of {name}"))?),
            Err(_) => broken.push(format!("{name} did not come to its end")),
        }
    }
    Ok(report(run, scenarios, broken))
}

fn report(run: &Run, scenarios: Vec<Scenario>, mut broken: Vec<String>) -> Report {
    if scenarios.len() + broken.len() != run.scenarios {
        broken.push(format!("{} scenarios ran, and there are {}", scenarios.len(), run.scenarios));
    }
    let idle = scenarios.iter().filter(|scenario| scenario.checks.iter().all(Check::decides_nothing));
    broken.extend(idle.map(|scenario| format!("{} checked nothing", scenario.name)));
    Report { name: run.name.clone(), scenarios, broken, took: Duration::ZERO }
}

/// `server-tools-list-2026-11-21T11-14-50-209Z` is of `tools-list`.
fn scenario_of(folder: &str) -> Option<&str> {
    const TIME: usize = "-2026-11-21T11-14-50-209Z".len();
    let name = folder.strip_prefix("server-")?;
    name.get(..name.len().checked_sub(TIME)?).filter(|name| !name.is_empty())
}

fn scenario(name: &str, text: &str) -> Result<Scenario> {
    let parsed: Value = serde_json::from_str(text)?;
    let checks = parsed.as_array().context("it is no list")?.iter().map(check).collect::<Result<_>>()?;
    Ok(Scenario { name: name.to_owned(), checks })
}

fn check(check: &Value) -> Result<Check> {
    let id = check["id"].as_str().context("a check has no id")?;
    let said = ["errorMessage", "description"].iter().find_map(|key| check[key].as_str());
    let mut message = said.unwrap_or("no reason given").to_owned();
    let outcome = match check["status"].as_str().context("a check has no status")? {
        "SUCCESS" => Outcome::Passed,
        "SKIPPED" if SKIPPED_ALWAYS.contains(&id) => Outcome::Skipped,
        "INFO" => Outcome::Noted,
        status => {
            // FAILURE speaks for itself; WARNING, SKIPPED and whatever a later suite may invent do not.
            if status != "FAILURE" {
                message = format!("{status}: {message}");
            }
            Outcome::Failed
        }
    };
    Ok(Check { id: id.to_owned(), outcome, message })
}

impl Check {
    fn decides_nothing(&self) -> bool {
        self.outcome == Outcome::Noted
    }
}

impl Report {
    /// The run is no success whatever its checks say.
    pub fn broke(&mut self, why: String) {
        self.broken.push(why);
    }

    /// Whether everything passed that was not skipped, and everything was there.
    pub fn passed(&self) -> bool {
        self.broken.is_empty() && self.total().failed == 0
    }

    /// Its sums.
    pub fn total(&self) -> Total {
        let count = |wanted| self.of(wanted).count();
        Total {
            scenarios: self.scenarios.len(),
            passed: count(Outcome::Passed),
            failed: count(Outcome::Failed),
            skipped: count(Outcome::Skipped),
        }
    }

    /// What the suite left out: which check of which scenario, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (String, &str)> {
        self.of(Outcome::Skipped).map(|(scenario, check)| (named(scenario, check), check.message.as_str()))
    }

    fn of(&self, outcome: Outcome) -> impl Iterator<Item = (&Scenario, &Check)> {
        let all = self
            .scenarios
            .iter()
            .flat_map(|scenario| scenario.checks.iter().map(move |check| (scenario, check)));
        all.filter(move |(_, check)| check.outcome == outcome)
    }
}

fn named(scenario: &Scenario, check: &Check) -> String {
    match check.id == scenario.name {
        true => check.id.clone(),
        false => format!("{}: {}", scenario.name, check.id),
    }
}

impl std::iter::Sum for Total {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            scenarios: sum.scenarios + one.scenarios,
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
            skipped: sum.skipped + one.skipped,
        })
    }
}

impl Display for Total {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { scenarios, passed, failed, skipped } = self;
        write!(f, "{scenarios} scenarios: {passed} checks passed, {failed} failed, {skipped} skipped")
    }
}

/// A line, and one for each thing that failed.
impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mark = if self.passed() { "ok    " } else { "FAILED" };
        write!(f, "{mark} {:<32} {} ({} s)", self.name, self.total(), self.took.as_secs())?;
        for (scenario, check) in self.of(Outcome::Failed) {
            write!(f, "\n         {}: {}", named(scenario, check), check.message)?;
        }
        self.broken.iter().try_for_each(|why| write!(f, "\n         {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::plan;

    /// A server that did not ask the client's model, as the suite wrote it down.
    const FAILED: &str = include_str!("recorded/failed.json");

    fn one(scenarios: Vec<Scenario>, broken: Vec<String>) -> Report {
        report(&plan::chosen(None, Some("tools-call-sampling")).unwrap()[0], scenarios, broken)
    }

    fn made(checks: &str) -> Scenario {
        scenario("tools-call-sampling", checks).unwrap()
    }

    #[test]
    fn a_recorded_failure_fails_the_run_and_is_told_with_its_message() {
        let report = one(vec![made(FAILED)], vec![]);
        assert!(!report.passed());
        assert_eq!(report.total(), Total { scenarios: 1, passed: 1, failed: 1, skipped: 0 });
        let told = report.to_string();
        assert!(told.starts_with("FAILED"), "{told}");
        assert!(told.contains("tools-call-sampling: Server did not request sampling from client"), "{told}");
    }

    #[test]
    fn a_warning_and_a_status_that_nobody_knows_are_failures() {
        for status in ["WARNING", "SOMETHING"] {
            let checks = FAILED.replace("\"FAILURE\"", &format!("\"{status}\""));
            assert!(!one(vec![made(&checks)], vec![]).passed(), "{status}");
        }
        assert!(one(vec![made(&FAILED.replace("\"FAILURE\"", "\"SUCCESS\""))], vec![]).passed());
    }

    #[test]
    fn a_skip_fails_the_run_unless_the_suite_skips_for_everybody() {
        let skipped = FAILED.replace("\"FAILURE\"", "\"SKIPPED\"");
        assert!(!one(vec![made(&skipped)], vec![]).passed());
        let always = skipped.replace("tools-call-sampling", "tasks-status-notifications");
        let report = one(vec![scenario("tasks-status-notifications", &always).unwrap()], vec![]);
        assert!(report.passed());
        let reason = "Server did not request sampling from client";
        assert_eq!(report.skipped().collect::<Vec<_>>(), [("tasks-status-notifications".to_owned(), reason)]);
    }

    #[test]
    fn a_run_that_looked_at_fewer_scenarios_than_there_are_fails() {
        let none = one(vec![], vec![]);
        assert!(!none.passed());
        assert!(none.to_string().contains("0 scenarios ran, and there are 1"), "{none}");
    }

    #[test]
    fn a_scenario_that_checks_nothing_fails() {
        assert!(!one(vec![made("[]")], vec![]).passed());
        let noted = one(vec![made(r#"[{"id": "a", "status": "INFO"}]"#)], vec![]);
        assert!(noted.to_string().contains("tools-call-sampling checked nothing"), "{noted}");
    }

    #[test]
    fn a_scenario_without_results_fails() {
        let folder = std::env::temp_dir().join(format!("fleetgate-conformance-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("server-tools-call-sampling-2026-11-21T11-14-50-209Z")).unwrap();
        let report = read(&plan::chosen(None, Some("tools-call-sampling")).unwrap()[0], &folder);
        std::fs::remove_dir_all(&folder).unwrap();
        let report = report.unwrap();
        assert!(!report.passed());
        assert!(report.to_string().contains("tools-call-sampling did not come to its end"), "{report}");
    }

    #[test]
    fn sums_are_sums() {
        let one = Total { scenarios: 1, passed: 2, failed: 3, skipped: 4 };
        assert_eq!(
            [one, one].into_iter().sum::<Total>().to_string(),
            "2 scenarios: 4 checks passed, 6 failed, 8 skipped"
        );
    }
}
