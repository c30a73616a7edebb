//! What the Fortinet FortiGates print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("get system status", STATUS),
    ("get system interface physical", PHYSICAL),
    ("show system interface", INTERFACES),
    ("show full-configuration", FULL),
];

const STATUS: &str = "\
Version: FortiGate-60F v6.4.9,build1966,220421 (GA)
Virus-DB: 90.02010(2022-04-16 09:26)
Extended DB: 90.02010(2022-04-16 09:25)
IPS-DB: 20.00294(2022-04-15 01:31)
Serial-Number: {serial}
BIOS version: 05000007
System Part-Number: P24286-05
Log hard disk: Not available
Hostname: {name}
Operation Mode: NAT
Current virtual domain: root
Max number of virtual domains: 10
Virtual domains status: 1 in NAT mode, 0 in TP mode
Virtual domain configuration: disable
FIPS-CC mode: disable
Current HA mode: standalone
Branch point: 1966
Release Version Information: GA
System time: Sat Apr 16 11:54:03 2022";

const PHYSICAL: &str = "\
== [onboard]
\t==[wan1]
\t\tmode: dhcp
\t\tip: 198.51.100.23 255.255.255.0
\t\tstatus: up
\t\tspeed: 1000Mbps (Duplex: full)
\t==[internal1]
\t\tmode: static
\t\tip: {address} 255.255.255.0
\t\tstatus: up
\t\tspeed: 1000Mbps (Duplex: full)";

const INTERFACES: &str = "\
config system interface
    edit \"wan1\"
        set vdom \"root\"
        set mode dhcp
        set allowaccess ping
        set type physical
        set snmp-index 1
    next
    edit \"internal1\"
        set vdom \"root\"
        set ip {address} 255.255.255.0
        set allowaccess ping https ssh
        set type physical
        set snmp-index 7
    next
end";

const FULL: &str = "\
#config-version=FGT60F-6.4.9-FW-build1966-220421:opmode=0:vdom=0:user=netops
config system global
    set hostname \"{name}\"
    set timezone 80
end
{config}";
