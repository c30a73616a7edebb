//! Skills.

use fleetgate_sdk::prelude::*;
use fleetgate_sdk::{Plugin, testing};

#[skill("tests/skills/push-config", requires = "operator", path = "network/push-config")]
struct PushConfig;

fleetgate_sdk::export! { skills: PushConfig }

#[test]
fn a_skill_is_its_directory() {
    let skills = testing::list_skills::<Exported>();
    assert_eq!(skills[0]["path"], "network/push-config");
    assert_eq!(
        skills[0]["frontmatter"],
        json!({
            "name": "push-config",
            "description": "How to push a configuration: slowly.",
            "metadata": { "version": "1.0", "tags": ["network", "config"], "tested": true, "devices": 3 },
        })
    );
    let files: Vec<_> =
        skills[0]["files"].as_array().expect("files").iter().map(|file| &file["path"]).collect();
    assert_eq!(files, ["SKILL.md", "scripts/check.py"]);
    assert_eq!(
        skills[0]["manifest"],
        json!({ "resource": "skill://network/push-config/**", "requires": "operator" })
    );
}

#[test]
fn its_files_are_what_lies_on_disk() {
    let [instructions, script] = Exported::SKILLS[0].files else { panic!("two files") };
    assert_eq!(instructions.data, include_bytes!("../skills/push-config/SKILL.md"));
    assert_eq!(script.data, include_bytes!("../skills/push-config/scripts/check.py"));
}
