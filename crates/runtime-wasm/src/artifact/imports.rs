//! Which imports link: what the host serves, and what of WASI 0.2 it does not serve but lets language runtimes carry along.

use types::{Code, Problem};

use super::list;

/// An interface that the host serves, in all its versions that begin so.
struct Offered {
    interface: &'static str,
    versions: &'static str,
}

const fn offered(interface: &'static str, versions: &'static str) -> Offered {
    Offered { interface, versions }
}

/// What the host serves. A version that ends in a dot stands for all that follow.
const OFFERED: &[Offered] = &[
    offered("wasi:http/types", "0.2."),
    offered("wasi:http/outgoing-handler", "0.2."),
    offered("wasi:config/store", "0.2.0-"),
    offered("wasi:config/runtime", "0.2.0-draft"),
    offered("wasi:keyvalue/store", "0.2.0-draft"),
    offered("wasi:keyvalue/atomics", "0.2.0-draft"),
    offered("wasi:keyvalue/batch", "0.2.0-draft"),
    offered("wasi:logging/logging", ""),
    offered("fermyon:spin/key-value", "2.0.0"),
    offered("fermyon:spin/variables", "2.0.0"),
];

/// The packages of the WASI 0.2 release. Language runtimes import all of them; what of it the host does not serve ends the guest when it
/// is called, and not before.
const RELEASE: &[&str] = &["wasi:io", "wasi:clocks", "wasi:random", "wasi:cli", "wasi:filesystem", "wasi:sockets"];

/// Checks that every import links.
///
/// # Errors
/// `E0304` with the names that don't, and the offered one that is nearest to the first.
pub(super) fn check(imports: &[String]) -> Result<(), Problem> {
    let unknown: Vec<String> = imports.iter().filter(|name| !links(name)).cloned().collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let problem = Problem::new(Code::E0304, format!("the component imports {}, which dayfly does not offer", list(&unknown)));
    Err(match nearest(first) {
        Some(near) => problem.help(format!("the nearest that it offers is {near}")),
        None => problem.help("build it against dayfly's WIT (wit/world.wit), or compose it with a component that exports these"),
    })
}

fn links(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let of_release = interface.split_once('/').is_some_and(|(package, _)| RELEASE.contains(&package));
    (of_release && version.starts_with("0.2."))
        || OFFERED.iter().any(|offered| offered.interface == interface && version.starts_with(offered.versions))
}

/// The offered interface that shares the name after the slash, or at least the package.
fn nearest(import: &str) -> Option<String> {
    let interface = import.split('@').next().unwrap_or(import);
    let (package, name) = interface.split_once('/')?;
    let same = |offered: &&Offered| offered.interface.split_once('/').is_some_and(|(p, n)| n == name || p == package);
    if let Some(found) = OFFERED.iter().find(same) {
        let Offered { interface, versions } = found;
        return Some(if versions.is_empty() {
            (*interface).to_owned()
        } else {
            format!("{interface}@{}", versions.trim_end_matches('.'))
        });
    }
    RELEASE.contains(&package).then(|| format!("{package} of WASI 0.2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runtimes_carry_links_and_what_nobody_serves_does_not() {
        for good in [
            "wasi:http/types@0.2.0",
            "wasi:sockets/tcp@0.2.10",
            "wasi:filesystem/preopens@0.2.3",
            "wasi:keyvalue/store@0.2.0-draft2",
            "wasi:logging/logging",
            "wasi:logging/logging@0.1.0-draft",
            "fermyon:spin/key-value@2.0.0",
        ] {
            assert!(links(good), "{good}");
        }
        for bad in
            ["wasi:http/types@0.3.0", "acme:io/poll@0.2.0", "wasi:nn/graph@0.2.0-rc", "run", "fermyon:spin/key-value@3.0.0"]
        {
            assert!(!links(bad), "{bad}");
        }
    }

    #[test]
    fn the_nearest_offer_is_named() {
        let problem = check(&["wasi:keyvalue/watcher@0.2.0-draft".into()]).expect_err("not offered");
        assert_eq!(problem.code, Code::E0304);
        assert_eq!(problem.help.as_deref(), Some("the nearest that it offers is wasi:keyvalue/store@0.2.0-draft"));
        let problem = check(&["wasi:clocks/wall-clock@0.3.0".into()]).expect_err("not offered");
        assert_eq!(problem.help.as_deref(), Some("the nearest that it offers is wasi:clocks of WASI 0.2"));
    }
}
