//! What the Cisco NX-OS switches print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("show version", VERSION),
    ("show interface status", STATUS),
    ("show interfaces status", STATUS),
    ("show vlan brief", VLAN),
    ("show clock", "11:54:03.018 UTC Sat Apr 16 2022\nTime source is NTP"),
    ("show logging last 50", LOGGING),
    ("show running-config", RUNNING),
];

const VERSION: &str = "\
Cisco Nexus Operating System (NX-OS) Software
TAC support: http://www.cisco.com/tac
Copyright (C) 2002-2022, Cisco and/or its affiliates.
All rights reserved.

Software
  BIOS: version 05.45
  NXOS: version 9.3(10)
  BIOS compile time:  07/05/2021
  NXOS image file is: bootflash:///nxos.9.3.10.bin
  NXOS compile time:  5/26/2022 12:00:00 [05/26/2022 19:42:01]


Hardware
  cisco Nexus9000 C93180YC-FX Chassis
  Intel(R) Xeon(R) CPU D-1528 @ 1.90GHz with 24571776 kB of memory.
  Processor Board ID {serial}

  Device name: {name}
  bootflash:   53298520 kB
Kernel uptime is 112 day(s), 6 hour(s), 41 minute(s), 9 second(s)

Last reset at 218733 usecs after Fri Dec 24 05:12:54 2021
  Reason: Reset Requested by CLI command reload
  System version: 9.3(8)
  Service:

plugin
  Core Plugin, Ethernet Plugin
";

const STATUS: &str = "
--------------------------------------------------------------------------------
Port          Name               Status    Vlan      Duplex  Speed   Type
--------------------------------------------------------------------------------
mgmt0         oob                connected routed    full    1000    --
Eth1/1        server-01          connected 110       full    25G     SFP-H25GB-CU3M
Eth1/2        --                 notconnec 1         auto    auto    SFP-H25GB-CU3M
Eth1/49       spine-01           connected trunk     full    100G    QSFP-100G-SR4
Eth1/50       --                 sfpAbsent 1         auto    auto    --";

const VLAN: &str = "
VLAN Name                             Status    Ports
---- -------------------------------- --------- -------------------------------
1    default                          active    Eth1/2
110  servers                          active    Eth1/1, Eth1/49
";

const LOGGING: &str = "\
2022 Apr 16 06:13:40 {name} %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/2 is down (Link failure)
2022 Apr 16 10:05:02 {name} %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by netops on 10.20.0.5@pts/0";

const RUNNING: &str = "
!Command: show running-config
!Running configuration last done at: Sat Apr 16 10:05:01 2022
!Time: Sat Apr 16 11:54:03 2022

version 9.3(10) Bios:version 05.45
hostname {name}
feature lacp
feature lldp

vlan 1,110
vlan 110
  name servers

interface Ethernet1/1
  description server-01
  switchport access vlan 110

interface mgmt0
  vrf member management
  ip address {address}/24
{config}line vty
";
