//! Which of the resolved addresses may be connected to: all of them, or none.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use types::journal::Failure;

use crate::{
    addresses::{Class, classify, unwrapped},
    failure::{not_sendable, private},
    target::Target,
};

/// Whether addresses are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarding {
    /// Every address is.
    On,
    /// None is. Only the control runs of the security tests want this.
    Off,
}

pub(crate) struct Guard {
    guarding: Guarding,
    /// The platform's own listeners, peers and stores.
    own: Vec<SocketAddr>,
}

impl Guard {
    pub(crate) fn new(guarding: Guarding, own: Vec<SocketAddr>) -> Self {
        Self { guarding, own }
    }

    /// Whether nothing is judged.
    pub(crate) fn is_off(&self) -> bool {
        self.guarding == Guarding::Off
    }

    /// Judges every address of the target; one that may not be reached refuses all of them, since whoever mixes them does so on purpose.
    ///
    /// # Errors
    /// `E0208` for private addresses that the function's reach does not name, `E0210` for those that nobody may call.
    pub(crate) fn check(&self, target: &Target, addresses: &[IpAddr], private_named: bool) -> Result<(), Failure> {
        if self.is_off() {
            return Ok(());
        }
        addresses.iter().try_for_each(|address| self.check_one(target, *address, private_named))
    }

    fn check_one(&self, target: &Target, address: IpAddr, private_named: bool) -> Result<(), Failure> {
        let Target { host, port, https, .. } = target;
        let place = if target.address.is_some() { address.to_string() } else { format!("{host} ({address})") };
        match classify(address) {
            Class::Never(kind) => return Err(not_sendable(format!("{place} is a {kind} address, which nobody may call"))),
            Class::Private(kind) if !private_named => {
                let scheme = if *https { "https" } else { "http" };
                let named = format!("{scheme}://{}", with_port(target));
                return Err(private(format!("{place} is a {kind} address: name it with its port in `reach`, as in {named}")));
            }
            Class::Private(_) | Class::Public => {}
        }
        let called = SocketAddr::new(unwrapped(address), *port);
        if self.own.iter().any(|own| is_same(*own, called)) {
            return Err(not_sendable(format!(
                "{place} port {port} is a listener of dayfly itself, which functions may not call"
            )));
        }
        Ok(())
    }
}

fn with_port(target: &Target) -> String {
    match target.address {
        Some(IpAddr::V6(address)) => format!("[{address}]:{}", target.port),
        _ => format!("{}:{}", target.host, target.port),
    }
}

/// Whether a call would arrive at this listener. One on all addresses is reached by each of this machine's.
fn is_same(own: SocketAddr, called: SocketAddr) -> bool {
    let own_ip = unwrapped(own.ip());
    own.port() == called.port() && (own_ip == called.ip() || (own_ip.is_unspecified() && is_local(called.ip())))
}

/// Whether the address is one of this machine's: only then can a socket be bound to it.
fn is_local(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Code;

    fn judge(own: &str, host: &str, address: &str, port: u16, private_named: bool) -> Option<Code> {
        let guard = Guard::new(Guarding::On, vec![own.parse().expect(own)]);
        let target = Target { https: false, host: host.into(), address: None, port };
        let address: IpAddr = address.parse().expect(address);
        guard.check(&target, &["8.8.8.8".parse().expect("an address"), address], private_named).err().map(|failure| failure.code)
    }

    #[test]
    fn private_addresses_need_a_reach_and_own_listeners_are_closed_even_then() {
        let own = "127.0.0.1:4001";
        for (address, port, named, refused) in [
            ("8.8.4.4", 80, false, None),
            ("10.0.0.1", 80, false, Some(Code::E0208)),
            ("10.0.0.1", 80, true, None),
            ("127.0.0.1", 4001, true, Some(Code::E0210)),
            ("::ffff:127.0.0.1", 4001, true, Some(Code::E0210)),
            ("127.0.0.1", 4002, true, None),
            ("0.0.0.0", 4002, true, Some(Code::E0210)),
            ("255.255.255.255", 80, true, Some(Code::E0210)),
        ] {
            assert_eq!(judge(own, "x.example.com", address, port, named), refused, "{address}:{port} {named}");
        }
        assert_eq!(judge("0.0.0.0:4001", "x", "127.0.0.9", 4001, true), Some(Code::E0210), "a listener on all addresses");
        assert_eq!(judge("0.0.0.0:4001", "x", "9.9.9.9", 4001, true), None, "another machine's address");
    }
}
