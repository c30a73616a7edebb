//! Which addresses a connection may go to.

use std::net::SocketAddr;

use fleetgate_core::address::{Class, Opening, Policy, classify};

use super::spellings::{SPELLINGS, literal};

#[test]
fn every_spelling_is_the_address_that_it_is() {
    assert!(SPELLINGS.len() >= 60);
    for (spelling, class) in SPELLINGS {
        let address = literal(spelling);
        assert_eq!(classify(address), *class, "{spelling} is {address}");
        let blocked = Policy::default().check(SocketAddr::new(address, 443)).unwrap_err();
        assert_eq!(blocked.class, *class, "{spelling}");
    }
}

#[test]
fn loopback_link_local_and_metadata_open_by_exact_address_and_port_alone() {
    for exact in ["127.0.0.1:4000", "[::1]:4000", "169.254.169.254:80", "[fe80::1]:80", "[fd00:ec2::254]:80"]
    {
        let exact: SocketAddr = exact.parse().unwrap();
        let policy = Policy::new([Opening::parse(&exact.to_string()).unwrap()]);
        assert_eq!(policy.check(exact), Ok(exact));
        assert!(policy.check(SocketAddr::new(exact.ip(), exact.port() + 1)).is_err());
        let wide = Policy::new([
            Opening::Network("0.0.0.0/0".parse().unwrap()),
            Opening::Network("::/0".parse().unwrap()),
        ]);
        let blocked = wide.check(exact).unwrap_err();
        assert_eq!(blocked.opening(), Some(Opening::Exact(exact)), "the line to add");
    }
    for text in
        ["127.0.0.0/8", "127.0.0.1", "127.0.0.1/32", "::1", "169.254.0.0/16", "169.254.169.254", "fe80::/10"]
    {
        let error = Opening::parse(text).unwrap_err();
        assert!(error.to_string().contains("which no network opens"), "{text}: {error}");
    }
    for text in ["0.0.0.0", "0.0.0.0:80", "224.0.0.1", "[::]:80", "255.255.255.255", "ff02::1"] {
        let error = Opening::parse(text).unwrap_err();
        assert!(error.to_string().contains("cannot be granted"), "{text}: {error}");
    }
    for text in ["", "lab", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0-10.0.0.9", "10.0.0.1:http"] {
        assert!(Opening::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_carrying_address_is_judged_by_what_it_carries_as_well() {
    let policy =
        Policy::new(["64:ff9b::/96", "2002::/16", "2001::/32"].map(|net| Opening::parse(net).unwrap()));
    let check = |address: &str| {
        policy.check(SocketAddr::new(address.parse().unwrap(), 443)).map_err(|blocked| blocked.class)
    };
    assert!(check("64:ff9b::8.8.8.8").is_ok(), "NAT64 to a public address, where the grant opens it");
    assert_eq!(check("64:ff9b::127.0.0.1"), Err(Class::Loopback));
    assert_eq!(check("64:ff9b::169.254.169.254"), Err(Class::Metadata));
    assert_eq!(check("64:ff9b::10.0.0.1"), Err(Class::Private));
    assert!(check("2002:808:808::1").is_ok());
    assert_eq!(check("2002:7f00:1::1"), Err(Class::Loopback));
    assert_eq!(check("2001:0:808:808:0:0:80ff:fffe"), Err(Class::Loopback), "Teredo's client, inverted");
    assert_eq!(check("64:ff9b:1::8.8.8.8"), Err(Class::Carrier));
}

#[test]
fn public_addresses_are_open() {
    for address in [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "2606:2800:220:1::1",
        "2a00:1450::1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
    ] {
        let address = SocketAddr::new(address.parse().unwrap(), 443);
        assert_eq!(Policy::default().check(address), Ok(address));
    }
}
