//! What the Juniper Junos routers print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("show version", VERSION),
    ("show interfaces terse", TERSE),
    ("show system uptime", UPTIME),
    ("show chassis hardware", HARDWARE),
    ("show configuration", CONFIGURATION),
    ("show running-config", "                        ^\nsyntax error, expecting <command>."),
];

const VERSION: &str = "\
Hostname: {name}
Model: mx204
Junos: 21.2R3-S2.9
JUNOS OS Kernel 64-bit  [20220607.76ccc0d_builder_stable_12_212]
JUNOS OS libs [20220607.76ccc0d_builder_stable_12_212]
JUNOS OS runtime [20220607.76ccc0d_builder_stable_12_212]
JUNOS py extensions [20220719.055409_builder_junos_212_r3_s2]
JUNOS Online Documentation [20220719.055409_builder_junos_212_r3_s2]";

const TERSE: &str = "\
Interface               Admin Link Proto    Local                 Remote
xe-0/1/0                up    up
xe-0/1/0.0              up    up   inet     10.30.1.1/31
                                   iso
                                   multiservice
xe-0/1/1                up    down
fxp0                    up    up
fxp0.0                  up    up   inet     {address}/24
lo0                     up    up
lo0.0                   up    up   inet     10.255.1.1          --> 0/0";

const UPTIME: &str = "\
Current time: 2022-04-16 11:54:03 UTC
Time Source:  NTP CLOCK
System booted: 2021-12-02 03:11:40 UTC (19w2d 08:42 ago)
Protocols started: 2021-12-02 03:14:55 UTC (19w2d 08:39 ago)
Last configured: 2022-04-16 10:02:37 UTC (01:51:26 ago) by netops
11:54AM  up 135 days,  8:42, 1 users, load averages: 0.42, 0.38, 0.36";

const HARDWARE: &str = "\
Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                {serial}          JNP204 [MX204]
Routing Engine 0          BUILTIN      BUILTIN           RE-S-1600x8
CB 0             REV 43   750-069579   CAMK9135          JNP204 [MX204]
PSM 0            REV 04   740-070749   1F23C220087       DC AFO 650W PSU
Fan Tray 0                                               Fan Tray, Front to Back Airflow - AFO";

const CONFIGURATION: &str = "\
## Last commit: 2022-04-16 10:02:37 UTC by netops
version 21.2R3-S2.9;
system {
    host-name {name};
    services {
        ssh;
    }
}
interfaces {
    fxp0 {
        unit 0 {
            family inet {
                address {address}/24;
            }
        }
    }
}
{config}";
