//! What the HP ProCurve switches print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("show system", SYSTEM),
    ("show system-information", SYSTEM),
    ("show vlans", VLANS),
    ("show interfaces brief", BRIEF),
    ("show running-config", RUNNING),
];

const SYSTEM: &str = "
 Status and Counters - General System Information

  System Name        : {name}
  System Contact     :
  System Location    : closet 1

  MAC Age Time (sec) : 300

  Time Zone          : 0
  Daylight Time Rule : None

  Software revision  : YA.16.10.0019        Base MAC Addr      : 94188f-3d2e00
  ROM Version        : YA.15.20             Serial Number      : {serial}

  Up Time            : 203 days             Memory   - Total   : 70,631,424
  CPU Util (%)       : 4                               Free    : 41,873,204
";

const VLANS: &str = "
 Status and Counters - VLAN Information

  Maximum VLANs to support : 256
  Primary VLAN : DEFAULT_VLAN
  Management VLAN :

  VLAN ID Name                             | Status     Voice Jumbo
  ------- -------------------------------- + ---------- ----- -----
  1       DEFAULT_VLAN                     | Port-based No    No
  20      users                            | Port-based No    No
";

const BRIEF: &str = "
 Status and Counters - Port Status

                          | Intrusion                           MDI  Flow Bcast
  Port         Type       | Alert     Enabled Status Mode       Mode Ctrl Limit
  ------------ ---------- + --------- ------- ------ ---------- ---- ---- -----
  1            100/1000T  | No        Yes     Up     1000FDx    MDIX off  0
  2            100/1000T  | No        Yes     Down   1000FDx    Auto off  0
";

const RUNNING: &str = "
Running configuration:

; J9772A Configuration Editor; Created on release #YA.16.10.0019
; Ver #14:6f.6f.f8.1d.9b.3f.bf.bb.ef.7c.59.fc.6b.fb.9f.fc.ff.ff.37.ef:10
hostname \"{name}\"
vlan 1
   name \"DEFAULT_VLAN\"
   untagged 1-48
   ip address {address} 255.255.255.0
   exit
{config}";
