//! What the Palo Alto PAN-OS firewalls print.

pub(super) const SHOWS: &[(&str, &str)] =
    &[("show system info", INFO), ("show interface all", INTERFACES), ("show config running", RUNNING)];

const INFO: &str = "
hostname: {name}
ip-address: {address}
public-ip-address: unknown
netmask: 255.255.255.0
default-gateway: 10.20.10.254
ip-assignment: static
mac-address: 08:66:1f:04:7a:c0
time: Sat Apr 16 11:54:03 2022
uptime: 88 days, 3:07:44
family: 800
model: PA-850
serial: {serial}
sw-version: 10.1.5
app-version: 8559-7360
threat-version: 8559-7360
multi-vsys: off
operational-mode: normal
";

const INTERFACES: &str = "
total configured hardware interfaces: 2

name                    id    speed/duplex/state            mac address
--------------------------------------------------------------------------------
ethernet1/1             16    1000/full/up                  08:66:1f:04:7a:10
ethernet1/2             17    ukn/ukn/down(autoneg)         08:66:1f:04:7a:11

aggregation groups: 0


total configured logical interfaces: 1

name                id    vsys zone             forwarding               tag    address
------------------- ----- ---- ---------------- ------------------------ ------ ------------------
ethernet1/1         16    1    untrust          vr:default               0      198.51.100.40/24
";

const RUNNING: &str = "
config {
  deviceconfig {
    system {
      hostname {name};
      ip-address {address};
    }
  }
}
{config}";
