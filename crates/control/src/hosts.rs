//! Under which host names an app answers, and the addresses that people are told.
//!
//! Every app answers as `<env>.<app>.localhost`. `<app>.localhost` goes to the environment `prod`, or while there is none to the first
//! by name. Names hold no dots, so no app can take another's host name. Where the node has a domain, the same holds below it.

use std::net::SocketAddr;

use types::{App, EnvName, revision::AppKey};

/// The node's rules for host names.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// The domain below which apps answer beside `localhost`.
    pub domain: Option<String>,
    /// Where the gateway listens.
    pub gateway: SocketAddr,
}

impl Hosts {
    /// The host names of one app; `first` if it has the name without an environment.
    pub(crate) fn of(&self, key: &AppKey, app: Option<&App>, first: bool) -> Vec<String> {
        let own = app.and_then(|app| app.domain.clone());
        let roots = [self.domain.as_deref(), Some("localhost")].into_iter().flatten();
        let below = roots.flat_map(|root| {
            let short = first.then(|| format!("{}.{root}", key.app));
            short.into_iter().chain([format!("{}.{}.{root}", key.env, key.app)])
        });
        own.into_iter().chain(below).collect()
    }

    /// The addresses of an app with these host names, best first. The default app has the gateway's own address before all.
    pub(crate) fn urls(&self, hosts: &[String], default: bool) -> Vec<String> {
        let port = self.gateway.port();
        let url = |host: &str| if port == 80 { format!("http://{host}/") } else { format!("http://{host}:{port}/") };
        let own = default.then(|| url(&self.gateway_host()));
        own.into_iter().chain(hosts.iter().map(|host| url(host))).collect()
    }

    /// The gateway's host as people type it.
    fn gateway_host(&self) -> String {
        let ip = self.gateway.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            return "localhost".into();
        }
        if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
    }
}

/// Which of an app's environments has the name without an environment.
pub(crate) fn first<'a>(environments: impl Iterator<Item = &'a EnvName>) -> Option<&'a EnvName> {
    environments.min_by_key(|env| (env.as_str() != "prod", env.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_address_comes_first() {
        let hosts = Hosts { domain: Some("apps.example".into()), gateway: "127.0.0.1:4000".parse().expect("an address") };
        let key = AppKey { app: "shop".parse().expect("a name"), env: "dev".parse().expect("a name") };
        let names = hosts.of(&key, None, true);
        assert_eq!(names, ["shop.apps.example", "dev.shop.apps.example", "shop.localhost", "dev.shop.localhost"]);
        assert_eq!(hosts.urls(&names, true)[..2], ["http://localhost:4000/", "http://shop.apps.example:4000/"]);
        assert_eq!(hosts.of(&key, None, false), ["dev.shop.apps.example", "dev.shop.localhost"]);
    }

    #[test]
    fn production_has_the_short_name() {
        let names: Vec<EnvName> = ["zeta", "dev", "prod"].iter().map(|name| name.parse().expect("a name")).collect();
        assert_eq!(first(names.iter()).map(EnvName::as_str), Some("prod"));
        assert_eq!(first(names[..2].iter()).map(EnvName::as_str), Some("dev"));
    }
}
