//! `wasi:filesystem` and `wasi:sockets`: closed. Language runtimes import them whether or not a program uses them, so they link.
//!
//! No folder is open and no address may be reached. A function that can say so in its result does; from the others the guest is ended.
//! Defined by name and not through generated bindings, which would be thousands of lines for functions that do nothing.

use wasmtime::component::{Linker, LinkerInstance, Resource, ResourceType, Val, types::Type};

use super::Host;
use crate::stop::Stop;

/// Every resource of a closed interface. Only `network` is ever made, and nothing can be done with it.
enum Closed {}

struct Interface {
    name: &'static str,
    /// The resources with their methods.
    resources: &'static [(&'static str, &'static str)],
    functions: &'static str,
}

const INTERFACES: &[Interface] = &[
    Interface {
        name: "wasi:filesystem/types@0.2.12",
        resources: &[
            (
                "descriptor",
                "\
                read-via-stream write-via-stream append-via-stream advise sync-data get-flags get-type set-size set-times read \
                write read-directory sync create-directory-at stat stat-at set-times-at link-at open-at readlink-at \
                remove-directory-at rename-at symlink-at unlink-file-at is-same-object metadata-hash metadata-hash-at",
            ),
            (
                "directory-entry-stream",
                "\
                read-directory-entry",
            ),
        ],
        functions: "filesystem-error-code",
    },
    Interface { name: "wasi:filesystem/preopens@0.2.12", resources: &[], functions: "" },
    Interface { name: "wasi:sockets/network@0.2.12", resources: &[("network", "")], functions: "network-error-code" },
    Interface { name: "wasi:sockets/instance-network@0.2.12", resources: &[], functions: "" },
    Interface {
        name: "wasi:sockets/ip-name-lookup@0.2.12",
        resources: &[(
            "resolve-address-stream",
            "\
                resolve-next-address subscribe",
        )],
        functions: "resolve-addresses",
    },
    Interface {
        name: "wasi:sockets/tcp@0.2.12",
        resources: &[(
            "tcp-socket",
            "\
                start-bind finish-bind start-connect finish-connect start-listen finish-listen accept local-address \
                remote-address is-listening address-family set-listen-backlog-size keep-alive-enabled set-keep-alive-enabled \
                keep-alive-idle-time set-keep-alive-idle-time keep-alive-interval set-keep-alive-interval keep-alive-count \
                set-keep-alive-count hop-limit set-hop-limit receive-buffer-size set-receive-buffer-size send-buffer-size \
                set-send-buffer-size subscribe shutdown",
        )],
        functions: "",
    },
    Interface { name: "wasi:sockets/tcp-create-socket@0.2.12", resources: &[], functions: "create-tcp-socket" },
    Interface {
        name: "wasi:sockets/udp@0.2.12",
        resources: &[
            (
                "udp-socket",
                "\
                start-bind finish-bind stream local-address remote-address address-family unicast-hop-limit \
                set-unicast-hop-limit receive-buffer-size set-receive-buffer-size send-buffer-size set-send-buffer-size \
                subscribe",
            ),
            (
                "incoming-datagram-stream",
                "\
                receive subscribe",
            ),
            (
                "outgoing-datagram-stream",
                "\
                check-send send subscribe",
            ),
        ],
        functions: "",
    },
    Interface { name: "wasi:sockets/udp-create-socket@0.2.12", resources: &[], functions: "create-udp-socket" },
];

pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    for Interface { name: interface, resources, functions } in INTERFACES {
        let mut instance = linker.instance(interface)?;
        for (resource, methods) in *resources {
            instance.resource(resource, ResourceType::host::<Closed>(), |_, _| Ok(()))?;
            for method in methods.split_whitespace() {
                close(&mut instance, interface, &format!("[method]{resource}.{method}"))?;
            }
        }
        for function in functions.split_whitespace() {
            close(&mut instance, interface, function)?;
        }
    }
    let mut preopens = linker.instance("wasi:filesystem/preopens@0.2.12")?;
    preopens.func_wrap("get-directories", |_, ()| Ok((Vec::<(Resource<Closed>, String)>::new(),)))?;
    let mut network = linker.instance("wasi:sockets/instance-network@0.2.12")?;
    network.func_wrap("instance-network", |_, ()| Ok((Resource::<Closed>::new_own(0),)))
}

/// Defines a function that refuses, if its result has a way to, and ends the guest otherwise.
fn close(instance: &mut LinkerInstance<'_, Host>, interface: &'static str, function: &str) -> wasmtime::Result<()> {
    let name = function.to_owned();
    instance.func_new(function, move |_, ty, _, results| {
        let refusal = ty.results().next().and_then(|result| refusal(&result));
        match (results, refusal) {
            ([result], Some(refusal)) => *result = refusal,
            _ => return Err(Stop::Misuse(format!("called {name} of {interface}, which is closed to functions")).into()),
        }
        Ok(())
    })
}

/// How a result says no: `none`, or the error code for it.
fn refusal(result: &Type) -> Option<Val> {
    match result {
        Type::Option(_) => Some(Val::Option(None)),
        Type::Result(result) => match result.err()? {
            Type::Enum(codes) => {
                let code = codes.names().find(|name| matches!(*name, "access" | "access-denied"))?;
                Some(Val::Result(Err(Some(Box::new(Val::Enum(code.to_owned()))))))
            }
            _ => None,
        },
        _ => None,
    }
}
