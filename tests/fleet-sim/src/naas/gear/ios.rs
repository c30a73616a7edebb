//! What the Cisco IOS switches print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("show version", VERSION),
    ("show clock", "*11:54:03.018 UTC Sat Apr 16 2022"),
    ("show ip interface brief", BRIEF),
    ("show interfaces status", STATUS),
    ("show vlan brief", VLAN),
    ("show logging last 50", LOGGING),
    ("show logging", LOGGING),
    ("show processes cpu history", CPU),
    ("show cdp neighbors", NEIGHBORS),
    ("show inventory", INVENTORY),
    ("show running-config", RUNNING),
];

const VERSION: &str = "\
Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M), Version 15.2(7)E7, RELEASE SOFTWARE (fc2)
Technical Support: http://www.cisco.com/techsupport
Copyright (c) 1986-2022 by Cisco Systems, Inc.
Compiled Tue 06-Sep-22 13:24 by mcpre

ROM: Bootstrap program is C2960X boot loader
BOOTLDR: C2960X Boot Loader (C2960X-HBOOT-M) Version 15.2(7r)E2, RELEASE SOFTWARE (fc1)

{name} uptime is 31 weeks, 2 days, 4 hours, 17 minutes
System returned to ROM by power-on
System restarted at 07:37:22 UTC Fri Sep 10 2021
System image file is \"flash:/c2960x-universalk9-mz.152-7.E7.bin\"
Last reload reason: Reload command

cisco WS-C2960X-48TS-L (APM86XXX) processor (revision F0) with 524288K bytes of memory.
Processor board ID {serial}
Last reset from power-on
3 Virtual Ethernet interfaces
1 FastEthernet interface
52 Gigabit Ethernet interfaces
The password-recovery mechanism is enabled.

512K bytes of flash-simulated non-volatile configuration memory.
Base ethernet MAC Address       : 00:5D:73:A1:2C:80
Motherboard serial number       : {serial}
Model number                    : WS-C2960X-48TS-L
System serial number            : {serial}

Switch Ports Model                     SW Version            SW Image
------ ----- -----                     ----------            ----------
*    1 52    WS-C2960X-48TS-L          15.2(7)E7             C2960X-UNIVERSALK9-M


Configuration register is 0xF
";

const BRIEF: &str = "\
Interface              IP-Address      OK? Method Status                Protocol
Vlan1                  unassigned      YES NVRAM  administratively down down
Vlan20                 {address}       YES NVRAM  up                    up
FastEthernet0          unassigned      YES NVRAM  administratively down down
GigabitEthernet1/0/1   unassigned      YES unset  up                    up
GigabitEthernet1/0/2   unassigned      YES unset  up                    up
GigabitEthernet1/0/3   unassigned      YES unset  down                  down
GigabitEthernet1/0/4   unassigned      YES unset  administratively down down
GigabitEthernet1/0/49  unassigned      YES unset  up                    up";

const STATUS: &str = "
Port      Name               Status       Vlan       Duplex  Speed Type
Gi1/0/1   reception          connected    20         a-full a-1000 10/100/1000BaseTX
Gi1/0/2   meeting room       connected    20         a-full  a-100 10/100/1000BaseTX
Gi1/0/3                      notconnect   20           auto   auto 10/100/1000BaseTX
Gi1/0/4   spare              disabled     999          auto   auto 10/100/1000BaseTX
Gi1/0/5   printer            err-disabled 30           auto   auto 10/100/1000BaseTX
Gi1/0/49  uplink             connected    trunk      a-full a-1000 1000BaseSX SFP";

const VLAN: &str = "
VLAN Name                             Status    Ports
---- -------------------------------- --------- -------------------------------
1    default                          active    Gi1/0/6, Gi1/0/7, Gi1/0/8
20   users                            active    Gi1/0/1, Gi1/0/2, Gi1/0/3
30   printers                         active    Gi1/0/5
999  parking                          active    Gi1/0/4
1002 fddi-default                     act/unsup
1003 token-ring-default               act/unsup
1004 fddinet-default                  act/unsup
1005 trnet-default                    act/unsup";

const LOGGING: &str = "\
Syslog logging: enabled (0 messages dropped, 3 messages rate-limited, 0 flushes, 0 overruns)
    Console logging: disabled
    Monitor logging: level debugging, 0 messages logged
    Buffer logging:  level informational, 214 messages logged

Log Buffer (16384 bytes):

Apr 16 08:02:11.402: %LINK-3-UPDOWN: Interface GigabitEthernet1/0/2, changed state to up
Apr 16 08:02:12.410: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/2, changed state to up
Apr 16 09:41:53.117: %PM-4-ERR_DISABLE: bpduguard error detected on Gi1/0/5, putting Gi1/0/5 in err-disable state
Apr 16 09:41:54.120: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/5, changed state to down
Apr 16 11:20:36.774: %SYS-5-CONFIG_I: Configured from console by netops on vty0 (10.20.0.5)";

const CPU: &str = "
{name}   11:54:09 AM Saturday Apr 16 2022 UTC


      44444555554444433333444445555544444333334444455555444443333
  100
   90
   80
   70
   60
   50
   40
   30
   20
   10
     0....5....1....1....2....2....3....3....4....4....5....5....6
               0    5    0    5    0    5    0    5    0    5    0
               CPU% per second (last 60 seconds)";

const NEIGHBORS: &str = "\
Capability Codes: R - Router, T - Trans Bridge, B - Source Route Bridge
                  S - Switch, H - Host, I - IGMP, r - Repeater, P - Phone,
                  D - Remote, C - CVTA, M - Two-port Mac Relay

Device ID        Local Intrfce     Holdtme    Capability  Platform  Port ID
dist-sw-01       Gig 1/0/49        143             S I    C9300-24T Gig 1/0/11
SEP00AF1F3C9E12  Gig 1/0/2         161             H P M  IP Phone  Port 1

Total cdp entries displayed : 2";

const INVENTORY: &str = "\
NAME: \"1\", DESCR: \"WS-C2960X-48TS-L\"
PID: WS-C2960X-48TS-L  , VID: V06  , SN: {serial}

NAME: \"GigabitEthernet1/0/49\", DESCR: \"1000BaseSX SFP\"
PID: GLC-SX-MMD          , VID: V01  , SN: AGJ1839R0QX
";

const RUNNING: &str = "\
Building configuration...

Current configuration : 1874 bytes
!
version 15.2
no service pad
service timestamps debug datetime msec
service timestamps log datetime msec
service password-encryption
!
hostname {name}
!
aaa new-model
!
interface GigabitEthernet1/0/1
 description reception
 switchport access vlan 20
 switchport mode access
 spanning-tree portfast
!
interface GigabitEthernet1/0/49
 description uplink
 switchport mode trunk
!
interface Vlan20
 ip address {address} 255.255.255.0
!
{config}line vty 0 4
 transport input ssh
!
end
";
