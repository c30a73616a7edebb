//! What the Linux servers print.

pub(super) const SHOWS: &[(&str, &str)] = &[
    ("hostname", "{name}"),
    ("uptime", " 11:54:03 up 61 days,  3:20,  1 user,  load average: 0.08, 0.03, 0.01"),
    (
        "uname -a",
        "Linux {name} 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01) x86_64 GNU/Linux",
    ),
    ("ip -brief address", ADDRESSES),
    ("df -h", DISKS),
];

const ADDRESSES: &str = "\
lo               UNKNOWN        127.0.0.1/8 ::1/128
eth0             UP             {address}/24";

const DISKS: &str = "\
Filesystem      Size  Used Avail Use% Mounted on
udev            1.9G     0  1.9G   0% /dev
tmpfs           392M  1.1M  391M   1% /run
/dev/vda1        39G   11G   27G  29% /";
