//! What the MikroTik RouterOS routers print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("/system resource print", RESOURCE),
    ("/system identity print", "  name: {name}"),
    ("/ip address print", ADDRESSES),
    ("/interface print", INTERFACES),
    ("/export", EXPORT),
];

const RESOURCE: &str = "\
                   uptime: 9w4d7h12m31s
                  version: 6.49.6 (stable)
               build-time: Apr/07/2022 17:53:31
         factory-software: 6.44.6
              free-memory: 214.4MiB
             total-memory: 256.0MiB
                      cpu: ARMv7
                cpu-count: 4
            cpu-frequency: 716MHz
                 cpu-load: 2%
           free-hdd-space: 1288.0KiB
          total-hdd-space: 15.2MiB
        architecture-name: arm
               board-name: hAP ac^2
                 platform: MikroTik";

const ADDRESSES: &str = "\
Flags: X - disabled, I - invalid, D - dynamic
 #   ADDRESS            NETWORK         INTERFACE
 0   ;;; management
     {address}/24       10.20.9.0       ether1
 1 D 198.51.100.14/24   198.51.100.0    ether2";

const INTERFACES: &str = "\
Flags: D - dynamic, X - disabled, R - running, S - slave
 #     NAME                                TYPE       ACTUAL-MTU L2MTU  MAX-L2MTU MAC-ADDRESS
 0  R  ether1                              ether            1500  1598       9214 48:8F:5A:11:0C:7E
 1  R  ether2                              ether            1500  1598       9214 48:8F:5A:11:0C:7F
 2   S ether3                              ether            1500  1598       9214 48:8F:5A:11:0C:80";

const EXPORT: &str = "\
# apr/16/2022 11:54:03 by RouterOS 6.49.6
# software id = 4J3C-QQ7L
#
# model = RBD52G-5HacD2HnD
# serial number = {serial}
/ip address
add address={address}/24 comment=management interface=ether1 network=10.20.9.0
{config}/system identity
set name={name}";
