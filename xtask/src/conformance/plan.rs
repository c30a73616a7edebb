//! Which runs there are, and how many scenarios each has. The suite is pinned, so the numbers are exact: a run with
//! fewer looked away from something.

use anyhow::{Result, bail};

/// One invocation of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it is called on the command line and in the report.
    pub name: String,
    /// What the suite is told.
    pub arguments: Vec<String>,
    /// How many scenarios have to have run.
    pub scenarios: usize,
}

/// Revisions whose required scenarios are frozen, with their number (scored or not).
const REQUIREMENTS: [(&str, usize); 2] = [("2026-07-28", 50), ("2025-11-25", 33)];
/// Protocol versions, and how many scenarios apply to each.
const VERSIONS: [(&str, usize); 4] =
    [("2026-07-28", 40), ("2025-11-25", 33), ("2025-06-18", 27), ("2025-03-26", 1)];
/// Scenarios of extensions. They belong to no version, so `--suite all` leaves them out.
const EXTENSIONS: [&str; 13] = [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
    "sep-2640-skills-enumeration",
    "sep-2640-skills-manifest",
    "sep-2640-skills-directory",
];

fn every() -> Vec<Run> {
    let required = REQUIREMENTS.map(|(revision, scenarios)| {
        run(format!("requirements-{revision}"), &["--requirements", revision], scenarios)
    });
    let all = VERSIONS.map(|(version, scenarios)| {
        run(format!("all-{version}"), &["--suite", "all", "--spec-version", version], scenarios)
    });
    let extensions = EXTENSIONS.map(single);
    required.into_iter().chain(all).chain(extensions).collect()
}

fn run(name: String, arguments: &[&str], scenarios: usize) -> Run {
    Run { name, arguments: arguments.iter().map(ToString::to_string).collect(), scenarios }
}

fn single(scenario: &str) -> Run {
    run(scenario.to_owned(), &["--scenario", scenario], 1)
}

/// All runs, one of them, or one scenario: in the version of the run that is named, or in the one that the suite
/// thinks right.
///
/// # Errors
/// No run has that name.
pub fn chosen(name: Option<&str>, scenario: Option<&str>) -> Result<Vec<Run>> {
    let Some(name) = name else {
        return Ok(scenario.map_or_else(every, |scenario| vec![single(scenario)]));
    };
    let Some(found) = every().into_iter().find(|run| run.name == name) else {
        let names: Vec<_> = every().into_iter().map(|run| run.name).collect();
        bail!("there is no run {name}; there are {}", names.join(", "));
    };
    let Some(scenario) = scenario else { return Ok(vec![found]) };
    // A requirement set is run in the version of its name, and decides what applies.
    let version = name.trim_start_matches("requirements-").trim_start_matches("all-");
    let mut one = single(scenario);
    if version != name {
        one.arguments.extend(["--spec-version", version, "--force"].map(str::to_owned));
    }
    Ok(vec![one])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_every_version_and_every_extension_is_run() {
        let runs = chosen(None, None).unwrap();
        assert_eq!(runs.len(), 2 + 4 + 13);
        assert!(runs.iter().all(|run| run.scenarios > 0));
    }

    #[test]
    fn a_scenario_is_run_in_the_version_of_its_run() {
        let runs = chosen(Some("requirements-2025-11-25"), Some("ping")).unwrap();
        assert_eq!(runs[0].arguments, ["--scenario", "ping", "--spec-version", "2025-11-25", "--force"]);
        assert_eq!(chosen(None, Some("ping")).unwrap()[0].arguments, ["--scenario", "ping"]);
    }

    #[test]
    fn an_unknown_run_is_refused_with_the_names_of_all() {
        let error = chosen(Some("all-1999"), None).unwrap_err().to_string();
        assert!(error.contains("all-2025-06-18") && error.contains("tasks-lifecycle"), "{error}");
    }
}
