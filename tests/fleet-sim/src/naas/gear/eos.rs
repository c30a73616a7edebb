//! What the Arista EOS switches print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("show version", VERSION),
    ("show interfaces status", STATUS),
    ("show ip interface brief", BRIEF),
    ("show vlan", VLAN),
    ("show logging last 50", LOGGING),
    ("show clock", "Sat Apr 16 11:54:03 2022\nTimezone: UTC\nClock source: NTP server (10.20.0.1)"),
    ("show running-config", RUNNING),
];

const VERSION: &str = "\
Arista DCS-7280SR3-48YC8
Hardware version: 11.02
Serial number: {serial}
Hardware MAC address: fcbd.6748.1f20
System MAC address: fcbd.6748.1f20

Software image version: 4.27.3F
Architecture: x86_64
Internal build version: 4.27.3F-26379303.4273F
Internal build ID: 3b8b25ad-f3cd-4c4a-b76c-3d2a4e2f11c7
Image format version: 1.0

Uptime: 18 weeks, 3 days, 2 hours and 51 minutes
Total memory: 8098984 kB
Free memory: 5743212 kB
";

const STATUS: &str = "\
Port       Name          Status       Vlan     Duplex Speed  Type         Flags Encapsulation
Et1        dc-leaf-01    connected    trunk    full   100G   100GBASE-SR4
Et2        dc-leaf-02    connected    trunk    full   100G   100GBASE-SR4
Et3                      notconnect   1        auto   auto   Not Present
Ma1        oob           connected    routed   a-full a-1G   10/100/1000";

const BRIEF: &str = "\
                                                                              Address
Interface         IP Address             Status       Protocol         MTU    Owner
----------------- ---------------------- ------------ -------------- -------- -------
Ethernet1         10.30.0.0/31           up           up              9214
Loopback0         10.255.0.1/32          up           up             65535
Management1       {address}/24           up           up              1500
";

const VLAN: &str = "\
VLAN  Name                             Status    Ports
----- -------------------------------- --------- -------------------------------
1     default                          active    Et3
110   servers                          active    Et1, Et2
";

const LOGGING: &str = "\
Apr 16 06:13:41 {name} Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet2, changed state to up
Apr 16 10:07:19 {name} ConfigAgent: %SYS-5-CONFIG_I: Configured from console by netops on vty3 (10.20.0.5)";

const RUNNING: &str = "\
! Command: show running-config
! device: {name} (DCS-7280SR3-48YC8, EOS-4.27.3F)
!
! boot system flash:/EOS-4.27.3F.swi
!
hostname {name}
!
vlan 110
   name servers
!
interface Ethernet1
   description dc-leaf-01
   switchport mode trunk
!
interface Management1
   ip address {address}/24
!
{config}end
";
