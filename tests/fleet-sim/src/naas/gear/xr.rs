//! What the Cisco IOS XR routers print: everything with the time in front of it.

pub(super) const SHOWS: &[(&str, &str)] =
    &[("show version", VERSION), ("show ipv4 interface brief", BRIEF), ("show running-config", RUNNING)];

const VERSION: &str = "
Sat Apr 16 11:54:03.018 UTC
Cisco IOS XR Software, Version 7.3.2
Copyright (c) 2013-2021 by Cisco Systems, Inc.

Build Information:
 Built By     : ingunawa
 Built On     : Wed Oct 13 20:00:36 PDT 2021
 Location     : /opt/cisco/XR/packages/
 Label        : 7.3.2

cisco NCS-5500 () processor
System uptime is 27 weeks 1 day 6 hours 12 minutes
";

const BRIEF: &str = "
Sat Apr 16 11:54:03.018 UTC

Interface                      IP-Address      Status          Protocol Vrf-Name
Loopback0                      10.255.2.1      Up              Up       default
MgmtEth0/RP0/CPU0/0            {address}       Up              Up       mgmt
TenGigE0/0/0/0                 10.30.2.0       Up              Up       default
TenGigE0/0/0/1                 unassigned      Shutdown        Down     default
";

const RUNNING: &str = "
Sat Apr 16 11:54:03.018 UTC
Building configuration...
!! IOS XR Configuration 7.3.2
!! Last configuration change at Sat Apr 16 10:11:07 2022 by netops
!
hostname {name}
!
interface MgmtEth0/RP0/CPU0/0
 vrf mgmt
 ipv4 address {address} 255.255.255.0
!
{config}ssh server v2
end
";
