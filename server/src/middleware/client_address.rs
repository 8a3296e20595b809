//! The client's address: that of the connection, or what a trusted proxy says. A header from anybody else is ignored,
//! or everyone could choose the address that limits and the audit log see.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Walks the forwarding headers from the nearest hop outward and stops at the first address that no trusted proxy has.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer.to_canonical();
    if !is_trusted(&address) {
        return address;
    }
    for hop in hops(headers).into_iter().rev() {
        match hop {
            Some(hop) => {
                address = hop.to_canonical();
                if !is_trusted(&address) {
                    return address;
                }
            }
            // A hop that cannot be read hides everything before it.
            None => return address,
        }
    }
    address
}

/// Addresses of the hops, the client's end first: `Forwarded` (RFC 7239) if there is one, else `X-Forwarded-For`.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = |name: &str| -> Vec<String> {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|part| part.trim().to_owned())
            .collect()
    };
    let forwarded = values("forwarded");
    if forwarded.is_empty() {
        return values("x-forwarded-for").iter().map(|text| parse(text)).collect();
    }
    forwarded
        .iter()
        .map(|element| {
            element
                .split(';')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
                .and_then(|(_, value)| parse(value.trim().trim_matches('"')))
        })
        .collect()
}

/// An address with or without port, brackets around IPv6 or not.
fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, header: &[(&'static str, &str)], trusted: &[&str], expect: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in header {
            headers.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        assert_eq!(client_address(peer.parse().unwrap(), &headers, &trusted), expect.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("203.0.113.9", &[("x-forwarded-for", "198.51.100.1")], &[], "203.0.113.9");
        check("203.0.113.9", &[("x-forwarded-for", "198.51.100.1")], &["10.0.0.0/8"], "203.0.113.9");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1")], &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.1", &[("x-forwarded-for", "192.0.2.7, 198.51.100.1, 10.0.0.2")], &["10.0.0.0/8"], "198.51.100.1");
        check("10.0.0.1", &[("x-forwarded-for", "198.51.100.1, nonsense")], &["10.0.0.0/8"], "10.0.0.1");
        check("10.0.0.1", &[], &["10.0.0.0/8"], "10.0.0.1");
        check("10.0.0.1", &[("forwarded", "for=\"[2001:db8::1]:4711\";proto=https")], &["10.0.0.0/8"], "2001:db8::1");
        check("::ffff:10.0.0.1", &[("forwarded", "for=198.51.100.1")], &["10.0.0.0/8"], "198.51.100.1");
    }
}
