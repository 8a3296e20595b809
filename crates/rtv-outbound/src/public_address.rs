//! Which addresses of the internet RTV may call when an address came from somebody else than its operator. Everything else
//! would let a stranger make RTV ask machines that only it can reach: its own network, its neighbours, the metadata service of a cloud.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether the address is a global one of the public internet. What is not known to be one is none.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The registry of special addresses, RFC 6890 and its successors.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        // Behind the operator of a network: 100.64.0.0/10.
        || (a == 100 && b & 0xC0 == 64)
        // Protocol assignments, and the relays of 6to4.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // Measurements between networks: 198.18.0.0/15.
        || (a == 198 && b & 0xFE == 18)
        // Reserved.
        || a >= 240;
    !is_special
}

/// Only what is given out as global unicast, 2000::/3, without the parts of it that carry another address inside or are
/// set aside. That leaves out IPv4 in IPv6 of every kind: mapped, compatible, NAT64; and local and link-local addresses.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xE000 == 0x2000;
    // Protocol assignments with Teredo and ORCHID: 2001::/23. Documentation: 2001:db8::/32 and 3fff::/20. 6to4: 2002::/16.
    let is_special = (first == 0x2001 && (second < 0x0200 || second == 0x0DB8))
        || (first == 0x3FFF && second < 0x1000)
        || first == 0x2002;
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn only_global_addresses_are_public() {
        let check = |text: &str, expect: bool| assert_eq!(is_public(text.parse().unwrap()), expect, "{text}");
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "3ffe::1",
        ] {
            check(public, true);
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // Unspecified, loopback, mapped, compatible, translated.
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            // Discard, Teredo, benchmark, ORCHID, documentation, 6to4, segment routing.
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            // Local, link-local, site-local, multicast.
            "fc00::1",
            "fd12:3456::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn other_ways_to_write_an_address_are_the_same_address() {
        for text in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://①②⑦.⓪.⓪.①/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
            "http://[::127.0.0.1]/",
            "http://169.254.43518/",
            "http://0xa9fea9fe/",
            "http://[0:0:0:0:0:0:0:1]/",
        ] {
            let url = Url::parse(text).unwrap();
            let address = match url.host().unwrap() {
                url::Host::Ipv4(address) => IpAddr::V4(address),
                url::Host::Ipv6(address) => IpAddr::V6(address),
                url::Host::Domain(name) => panic!("{text} is taken for the name {name}"),
            };
            assert!(!is_public(address), "{text}");
        }
    }
}
