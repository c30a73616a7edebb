/interface/bridge
add name=bridge1 vlan-filtering=no
/interface/ethernet
add name=ether1 comment="to core-j1"
add name=ether2
add name=ether3 disabled=yes
/interface/vlan
add interface=bridge1 name=vlan10 vlan-id=10
/interface/bridge/port
add bridge=bridge1 interface=ether2
/ip/address
add address=10.0.40.1/30 interface=ether1
add address=10.10.0.5/24 interface=vlan10 comment="users"
add address=192.0.2.17/24 interface=bridge1
/ip/dns
set servers=192.0.2.53
/ip/firewall/filter
add action=accept chain=input connection-state=established,related
add action=drop chain=input in-interface=ether1
/ip/route
add dst-address=0.0.0.0/0 gateway=192.0.2.1
/system/clock
set time-zone-name=UTC
/system/identity
set name={hostname}
/system/ntp/client
set enabled=yes servers=192.0.2.1
/user
add group=full name={user}
