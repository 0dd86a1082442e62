//! Listening on a port, and saying who has it if it is taken.

use std::{fs, io, net::SocketAddr, path::Path};

use tokio::net::TcpListener;
use types::{Code, Problem};

/// Which of the node's two listeners is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose {
    /// For people: `gateway`.
    pub(crate) name: &'static str,
    /// The flag that sets the address.
    pub(crate) flag: &'static str,
}

/// Listens on the address.
///
/// # Errors
/// `E0701` if it is in use or can't be had, with the process that has it where the machine tells.
pub(crate) async fn listen(address: SocketAddr, purpose: Purpose) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| refused(address, purpose, &error))
}

fn refused(address: SocketAddr, purpose: Purpose, error: &io::Error) -> Problem {
    let Purpose { name, flag } = purpose;
    let help = format!("{flag} {}:{}", address.ip(), address.port().saturating_add(10));
    if error.kind() != io::ErrorKind::AddrInUse {
        return Problem::new(Code::E0701, format!("the {name} can't listen on {address}: {error}")).help(help);
    }
    let problem = Problem::new(Code::E0701, format!("the {name} can't listen on {address}: the port is in use")).help(help);
    match holder(address.port()) {
        Some(Holder { pid, command }) => {
            problem.note(format!("process {pid} ({command}) listens on it: stop it, or take another port"))
        }
        None => problem.note(format!("who has it: ss -ltnp 'sport = :{}'", address.port())),
    }
}

struct Holder {
    pid: u32,
    command: String,
}

/// The process that listens on the port, as far as this user may know: the socket's inode from `/proc/net/tcp`, then whose handle it is.
fn holder(port: u16) -> Option<Holder> {
    let inode =
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| listening_inode(&fs::read_to_string(table).ok()?, port))?;
    let wanted = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find_map(|pid| {
        let folder = Path::new("/proc").join(pid.to_string());
        let holds = fs::read_dir(folder.join("fd"))
            .ok()?
            .flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == wanted.as_str()));
        let command =
            || fs::read_to_string(folder.join("comm")).map_or_else(|_| "unknown".to_owned(), |comm| comm.trim().to_owned());
        holds.then(|| Holder { pid, command: command() })
    })
}

/// Lines of the table are `sl local_address rem_address st … inode …`; state 0A is listening (proc_net_tcp(5)).
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_names_the_process_that_has_it() {
        let purpose = Purpose { name: "gateway", flag: "--listen" };
        let first = listen("127.0.0.1:0".parse().expect("an address"), purpose).await.expect("a free port");
        let taken = first.local_addr().expect("an address");
        let problem = listen(taken, purpose).await.expect_err("the port is taken");
        assert_eq!(problem.code, Code::E0701);
        assert!(problem.notes[0].contains(&format!("process {} ", std::process::id())), "{problem:?}");
        assert!(problem.help.expect("a help").starts_with("--listen 127.0.0.1:"));
    }
}
