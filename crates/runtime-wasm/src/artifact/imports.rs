//! Which imports link: what the host serves, and what of WASI 0.2 it does not serve but lets language runtimes carry along.

use types::{Code, Problem};

use super::list;

/// What the host serves beside the WASI release. Drafts are known by their exact name: the next one may be another interface.
const OFFERED: &[&str] = &[
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:config/runtime@0.2.0-draft",
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/atomics@0.2.0-draft",
    "wasi:keyvalue/batch@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft",
    "wasi:logging/logging@0.1.0-draft",
    "wasi:logging/logging",
    "fermyon:spin/key-value@2.0.0",
    "fermyon:spin/variables@2.0.0",
    "fermyon:spin/sqlite@2.0.0",
    "spin:sqlite/sqlite@3.0.0",
    "wasi:blobstore/types@0.2.0-draft",
    "wasi:blobstore/container@0.2.0-draft",
    "wasi:blobstore/blobstore@0.2.0-draft",
    "dayfly:queue/producer@0.1.0",
    "dayfly:stream/log@0.1.0",
    "dayfly:sql/database@0.1.0",
    "dayfly:events/bus@0.1.0",
];

/// The packages of the WASI 0.2 release. Language runtimes import all of them; what of it the host does not serve ends the guest when it
/// is called, and not before.
const RELEASE: &[&str] = &["wasi:http", "wasi:io", "wasi:clocks", "wasi:random", "wasi:cli", "wasi:filesystem", "wasi:sockets"];

/// Checks that every import links.
///
/// # Errors
/// `E0304` with the names that don't, and the offered one that is nearest to the first.
pub(super) fn check(imports: &[String]) -> Result<(), Problem> {
    let unknown: Vec<String> = imports.iter().filter(|name| !links(name)).cloned().collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let problem = Problem::new(Code::E0304, format!("the component imports {}, which dayfly does not offer", list(&unknown)));
    // No other interface stands in for one of these: naming the nearest would mislead.
    if first.starts_with("fermyon:spin/") || first.starts_with("spin:") {
        return Err(
            problem.help("of Spin's own interfaces it offers key-value, sqlite and variables: reach other services over HTTP")
        );
    }
    Err(match nearest(first) {
        Some(near) => problem.help(format!("the nearest that it offers is {near}")),
        None => problem.help("build it against dayfly's WIT (wit/world.wit), or compose it with a component that exports these"),
    })
}

fn links(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let of_release = interface.split_once('/').is_some_and(|(package, _)| RELEASE.contains(&package));
    (of_release && version.starts_with("0.2.")) || OFFERED.contains(&import)
}

/// What is offered under the same name, or else from the same package, or else with the same name after the slash.
fn nearest(import: &str) -> Option<String> {
    let interface = |name: &'_ str| name.split('@').next().unwrap_or_default().to_owned();
    let wanted = interface(import);
    let (package, name) = wanted.split_once('/')?;
    if RELEASE.contains(&package) {
        return Some(format!("{package} of WASI 0.2"));
    }
    let alike = |part: &dyn Fn(&str, &str) -> bool| {
        OFFERED.iter().find(|offered| interface(offered).split_once('/').is_some_and(|(package, name)| part(package, name)))
    };
    let found =
        alike(&|p, n| p == package && n == name).or_else(|| alike(&|p, _| p == package)).or_else(|| alike(&|_, n| n == name));
    found.map(|found| (*found).to_owned())
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
            "spin:sqlite/sqlite@3.0.0",
            "wasi:blobstore/types@0.2.0-draft",
            "dayfly:queue/producer@0.1.0",
        ] {
            assert!(links(good), "{good}");
        }
        for bad in
            ["wasi:http/types@0.3.0", "acme:io/poll@0.2.0", "wasi:nn/graph@0.2.0-rc", "run", "wasi:keyvalue/store@0.2.0-draft3"]
        {
            assert!(!links(bad), "{bad}");
        }
    }

    #[test]
    fn what_spin_has_beyond_ours_is_refused_by_name() {
        for name in
            ["fermyon:spin/redis@2.0.0", "fermyon:spin/llm@2.0.0", "fermyon:spin/mysql@2.0.0", "spin:postgres/postgres@4.0.0"]
        {
            let problem = check(&[name.to_owned()]).expect_err("not offered");
            assert!(problem.code == Code::E0304 && problem.message.contains(name), "{problem}");
            assert!(problem.help.is_some_and(|help| help.contains("key-value, sqlite and variables")));
        }
    }

    #[test]
    fn the_nearest_offer_is_named() {
        let problem = check(&["wasi:keyvalue/watcher@0.2.0-draft".into()]).expect_err("not offered");
        assert_eq!(problem.code, Code::E0304);
        assert_eq!(problem.help.as_deref(), Some("the nearest that it offers is wasi:keyvalue/store@0.2.0-draft2"));
        let problem = check(&["wasi:clocks/wall-clock@0.3.0".into()]).expect_err("not offered");
        assert_eq!(problem.help.as_deref(), Some("the nearest that it offers is wasi:clocks of WASI 0.2"));
    }
}
