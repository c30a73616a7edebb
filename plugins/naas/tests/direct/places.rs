//! Where a device stands: banners before its prompt, and prompts that say more than its name.

use fleetgate_sdk::ssh::Key;
use fleetgate_sdk::testing::Device;

use crate::{at_prompt, configure, failed, on, show, text};

#[test]
fn banners_with_prompts_in_them_are_read_past() {
    let banner = "################\r\n# Keep out! #\r\nUNAUTHORIZED>\r\nR9#\r\n**** > ****\r\n$\r\n\r\n";
    let device = Device::new()
        .echoes()
        .says(banner)
        .says("core-1.fra.example.com#")
        .expects("")
        .says("core-1.fra.example.com#")
        .expects("terminal width 511")
        .says("core-1.fra.example.com#")
        .expects("terminal length 0")
        .says("core-1.fra.example.com#")
        .expects("show clock")
        .says("12:00\r\ncore-1.fra.example.com#");
    let (result, _) = on(device, &show("cisco_ios", &["show clock"]));
    assert_eq!(text(&result, "show clock"), "12:00");
}

#[test]
fn a_notice_about_the_password_is_read_past_and_a_wish_for_a_new_one_is_refused() {
    let device = Device::new()
        .echoes()
        .says("Your password will expire in 5 days. Change it now?\r\nLast login: Mon Nov 16\r\nR1#")
        .expects("")
        .says("R1#")
        .expects("terminal width 511")
        .says("R1#")
        .expects("terminal length 0")
        .says("R1#")
        .expects("show clock")
        .says("12:00\r\nR1#");
    assert_eq!(text(&on(device, &show("cisco_ios", &["show clock"])).0, "show clock"), "12:00");

    for (platform, asked) in [
        (
            "fortinet",
            "You are forced to change your password. Please input a new password.\r\nNew Password: ",
        ),
        ("paloalto_panos", "\r\nEnter old password : "),
        ("cisco_nxos", "Your password has expired.\r\nEnter old password:"),
    ] {
        let device = Device::new().says(asked).expects_key(Key::CtrlC).says("\r\n");
        let (result, visit) = on(device, &show(platform, &["show clock"]));
        assert!(failed(&result, "AUTH_FAILURE", false).contains("password changed"), "{platform}");
        assert_eq!(visit.lines(), Vec::<&str>::new());
    }
}

#[test]
fn junos_with_its_roles_above_every_prompt_gives_the_answer_alone() {
    let prompt = "\r\n{master:0}\r\nann@mx1> ";
    let mut device =
        Device::new().echoes().says(format!("--- JUNOS 20.4R3.8 built{prompt}")).expects("").says(prompt);
    for line in ["set cli screen-width 511", "set cli screen-length 0", "set cli complete-on-space off"] {
        device = device.expects(line).says(prompt);
    }
    let device = device.expects("show system alarms").says(format!("No alarms currently active{prompt}"));
    let (result, _) = on(device, &show("juniper_junos", &["show system alarms"]));
    assert_eq!(text(&result, "show system alarms"), "No alarms currently active");
}

#[test]
fn a_firewall_whose_role_or_part_changes_in_the_middle_is_the_same_firewall() {
    let panos = |role: &str| format!("admin@PA-VM({role})> ");
    let mut device = Device::new().echoes().says(panos("active")).expects("").says(panos("active"));
    for line in ["set cli scripting-mode on", "set cli terminal width 500", "set cli pager off"] {
        device = device.expects(line).says(panos("active"));
    }
    let device = device
        .expects("request high-availability state suspend")
        .says(format!("Successfully changed HA state to suspended\r\n{}", panos("suspended")))
        .expects("show clock")
        .says(format!("Mon Nov 16\r\n{}", panos("suspended")));
    let device = device
        .expects("set system setting target-vsys vsys2")
        .says("Session target vsys changed to vsys2\r\nadmin@PA-VM vsys2(suspended)> ")
        .expects("show jobs all")
        .says("none\r\nadmin@PA-VM vsys2(suspended)> ");
    let commands = [
        "request high-availability state suspend",
        "show clock",
        "set system setting target-vsys vsys2",
        "show jobs all",
    ];
    let (result, _) = on(device, &show("paloalto_panos", &commands));
    assert_eq!(text(&result, "show clock"), "Mon Nov 16");
    assert_eq!(text(&result, "show jobs all"), "none");
}

#[test]
fn a_fortigate_with_virtual_domains_is_configured_in_its_parts_and_left_outside_of_them() {
    let device = || Device::new().echoes().says("FGT-1 # ").expects("").says("\r\nFGT-1 # ");
    let inside = |device: Device| {
        device
            .expects("config global")
            .says("\r\nFGT-1 (global) # ")
            .expects("config system interface")
            .says("\r\nFGT-1 (interface) # ")
            .expects("edit port1")
            .says("\r\nFGT-1 (port1) # ")
    };
    let lines = ["config global", "config system interface", "edit port1", "set alias wan", "end", "end"];
    let done = inside(device())
        .expects("set alias wan")
        .says("\r\nFGT-1 (port1) # ")
        .expects("end")
        .says("\r\nFGT-1 (global) # ")
        .expects("end")
        .says("\r\nFGT-1 # ");
    let (result, _) = on(done, &configure("fortinet", &lines));
    assert_eq!((result.error, result.warnings.len()), (None, 0));

    // There is nothing to abort in `global` itself.
    let refused = inside(device())
        .expects("set alias wan")
        .says("\r\nnode_check_object fail! for alias wan\r\n\r\nvalue parse error before 'wan'\r\nCommand fail. Return code -651\r\n\r\nFGT-1 (port1) # ")
        .expects("abort")
        .says("\r\nFGT-1 (global) # ")
        .expects("abort")
        .says("Unknown action 0\r\n\r\nFGT-1 (global) # ")
        .expects("end")
        .says("\r\nFGT-1 # ");
    let (result, visit) = on(refused, &configure("fortinet", &lines));
    failed(&result, "CONFIG_REJECTED", false);
    assert!(visit.left.is_empty(), "{:?}", visit.left);
}

#[test]
fn an_answer_that_is_the_name_in_the_prompt_is_an_answer() {
    let device = at_prompt("n9k-test# ").expects("show hostname").says("n9k-test \r\n\rn9k-test# ");
    let (result, _) = on(device, &show("cisco_nxos", &["show hostname"]));
    assert_eq!(text(&result, "show hostname"), "n9k-test");
}

#[test]
fn prompts_of_real_devices_are_read() {
    for (platform, prompt) in [
        ("cisco_ios", "host-s2.abc.def(config-archive-log-cfg)#"),
        ("cisco_ios", "host-s2(conf-ssh-pubkey)#"),
        ("cisco_ios", "host-s2(config-sg-tacacs+)#"),
        ("cisco_nxos", "\rrdc1_sw_rack42.spine-1-0# "),
        ("arista_eos", "Last login: Mon Nov 16 from 11:12:1:1::1:2\r\r\n\u{1b}[5nabc-1f1(config-if-Et1/1)#"),
        ("juniper_junos", "\r\n{master}\r\nloginlog@xdc-13f3> "),
        ("fortinet", "forti-fw~-01 $ "),
        ("fortinet", "forti-fw~-01 (vdom) $ "),
        ("paloalto_panos", "[edit]                        \r\nadmin@PA-VM# "),
        ("mikrotik_routeros", "[admin@mk-rb3011-test] /ip/address> "),
    ] {
        let device =
            Device::new().allows(|line| line == "x").says(prompt).expects("").says(format!("\r\n{prompt}"));
        let device = device.expects("x").says(format!("x\r\nanswer\r\n{prompt}"));
        let (result, _) = on(device, &show(platform, &["x"]));
        assert!(text(&result, "x").starts_with("answer"), "{prompt:?}: {result:?}");
    }
}

#[test]
fn each_vendors_own_words_refuse_a_line() {
    for (platform, prompt, said) in [
        ("cisco_ios", "R1(config)#", "Command authorization failed.\r\n"),
        ("cisco_ios", "R1(config-router)#", "% Specify remote-as or peer-group remote AS first\r\n"),
        ("cisco_ios", "R1(config-if)#", "172.25.144.0 overlaps with Vlan1\r\n"),
        ("arista_eos", "R1(config)#", "% BGP is already running with AS number 50\r\n"),
        ("cisco_nxos", "R1(config)#", "                 ^\r\nInvalid range at '^' marker.\r\n"),
        ("cisco_nxos", "R1(config)#", "ERROR: VLAN 5000 is out of bounds\r\n"),
        ("arista_eos", "R1(config)#", "% Authorization denied for command 'vlan 10'\r\n"),
        ("arista_eos", "R1(config)#", "% Unavailable command (not supported on this hardware platform)\r\n"),
        ("hp_procurve", "R1(config)# ", "Module not present for port or invalid port: 99\r\n"),
        ("hp_procurve", "R1(config)# ", "Error setting value ip for element IP.\r\n"),
    ] {
        let device = Device::new().echoes().allows(|line| !line.starts_with("terminal") && line != "no page");
        let device = device
            .says("R1#")
            .expects("")
            .says("R1#")
            .expects("configure terminal")
            .says(prompt)
            .expects("vlan 10")
            .says(format!("{said}{prompt}"))
            .expects("end")
            .says("R1#");
        let (result, _) = on(device, &configure(platform, &["vlan 10"]));
        failed(&result, "CONFIG_REJECTED", false);
    }
}
