//! Which addresses belong to the public internet. Everything that is not known to is not.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6; RFC 6052 (NAT64), RFC 8215, RFC 3056 (6to4), RFC 4380 (Teredo).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of place an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Anybody's: it may be called.
    Public,
    /// Somebody's own network or this machine: only a reach that names it opens it.
    Private(&'static str),
    /// No single host's, or one that the kernel would turn into another: it may never be called.
    Never(&'static str),
}

/// The first address of a block, the length of its prefix, and what it is.
type Block4 = ([u8; 4], u32, Class);

const BLOCKS4: &[Block4] = &[
    ([0, 0, 0, 0], 8, Class::Never("this network")),
    ([10, 0, 0, 0], 8, Class::Private("private")),
    ([100, 64, 0, 0], 10, Class::Private("carrier-grade NAT")),
    ([127, 0, 0, 0], 8, Class::Private("loopback")),
    ([169, 254, 0, 0], 16, Class::Private("link-local")),
    ([172, 16, 0, 0], 12, Class::Private("private")),
    ([192, 0, 0, 0], 24, Class::Private("reserved for protocols")),
    ([192, 0, 2, 0], 24, Class::Private("documentation")),
    ([192, 88, 99, 0], 24, Class::Private("6to4 relay")),
    ([192, 168, 0, 0], 16, Class::Private("private")),
    ([198, 18, 0, 0], 15, Class::Private("benchmarking")),
    ([198, 51, 100, 0], 24, Class::Private("documentation")),
    ([203, 0, 113, 0], 24, Class::Private("documentation")),
    ([224, 0, 0, 0], 4, Class::Never("multicast")),
    ([240, 0, 0, 0], 4, Class::Never("reserved")),
];

/// The address as the host behind it is known: IPv6 forms that stand for an IPv4 address are unwrapped.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
    }
}

/// What kind of place the address is.
pub(crate) fn classify(address: IpAddr) -> Class {
    match unwrapped(address) {
        IpAddr::V4(v4) => classify4(v4),
        IpAddr::V6(v6) => classify6(v6),
    }
}

fn classify4(address: Ipv4Addr) -> Class {
    let within = |(block, length, _): &&Block4| {
        let shift = 32 - length;
        address.to_bits() >> shift == u32::from_be_bytes(*block) >> shift
    };
    BLOCKS4.iter().find(within).map_or(Class::Public, |(_, _, class)| *class)
}

/// The IPv4 address that packets to this address reach in the end: mapped, NAT64 (well-known and local), 6to4, and the old compatible form.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let at = |index: usize| Ipv4Addr::from_bits(u32::from(segments[index]) << 16 | u32::from(segments[index + 1]));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => Some(at(6)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => Some(at(6)),
        [0x2002, ..] => Some(at(1)),
        _ => None,
    }
}

fn classify6(address: Ipv6Addr) -> Class {
    let first = address.segments()[0];
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Private("loopback"),
        [0x2001, 0xdb8, ..] => Class::Private("documentation"),
        // 2001::/23 is for protocols: Teredo, ORCHID, benchmarking and others.
        [0x2001, second, ..] if second < 0x200 => Class::Private("reserved for protocols"),
        [0x3fff, second, ..] if second < 0x1000 => Class::Private("documentation"),
        _ if first & 0xff00 == 0xff00 => Class::Never("multicast"),
        _ if first & 0xfe00 == 0xfc00 => Class::Private("private"),
        _ if first & 0xffc0 == 0xfe80 => Class::Private("link-local"),
        _ if first & 0xffc0 == 0xfec0 => Class::Private("site-local"),
        // All that was ever given out for the public internet (RFC 4291 §2.4).
        _ if first & 0xe000 == 0x2000 => Class::Public,
        _ => Class::Never("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Class {
        classify(text.parse().expect(text))
    }

    #[test]
    fn the_first_and_the_last_address_of_each_block_are_not_public() {
        for text in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.0",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.0.255",
            "192.0.2.0",
            "192.0.2.255",
            "192.88.99.0",
            "192.88.99.255",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.0",
            "198.51.100.255",
            "203.0.113.0",
            "203.0.113.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::",
            "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "fd00:ec2::254",
            "fe80::",
            "febf::1",
            "fec0::1",
            "feff::",
            "ff00::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001::",
            "2001:0:ffff::1",
            "2001:1ff::1",
            "2001:db8::",
            "2001:db8:ffff::",
            "3fff::1",
            "100::1",
            "5f00::1",
            "64:ff9a::1",
            "4000::1",
            "1fff::1",
        ] {
            assert_ne!(class(text), Class::Public, "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_each_block_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:db7:ffff::",
            "2001:db9::",
            "2600::1",
            "2a00:1450::1",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            assert_eq!(class(text), Class::Public, "{text}");
        }
    }

    #[test]
    fn what_stands_for_an_ipv4_address_is_judged_as_that() {
        let forms = |v4: &str| {
            let bits = v4.parse::<Ipv4Addr>().expect(v4).to_bits();
            let (high, low) = (bits >> 16, bits & 0xffff);
            [
                format!("::ffff:{v4}"),
                format!("64:ff9b::{v4}"),
                format!("64:ff9b:1::{v4}"),
                format!("64:ff9b:1:ffff::{v4}"),
                format!("2002:{high:x}:{low:x}::1"),
                format!("::{v4}"),
            ]
        };
        for text in forms("127.0.0.1").iter().chain(&forms("169.254.169.254")).chain(&forms("10.1.2.3")) {
            assert!(matches!(class(text), Class::Private(_)), "{text}");
        }
        for text in forms("8.8.8.8") {
            assert_eq!(class(&text), Class::Public, "{text}");
        }
        assert_eq!(unwrapped("::ffff:127.0.0.1".parse().expect("an address")), IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
}
