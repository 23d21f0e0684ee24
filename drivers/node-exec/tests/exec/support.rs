//! What both have in common.

use fakes::Driver;
use kit::Scratch;
use proto::node::{Node, State, Step, Take};

pub(crate) const ENVIRONMENT: (&str, &str) = ("PROXMOX_TOKEN", "canary-token-of-the-program");

pub(crate) fn drive(flags: &[&str]) -> Driver {
    let flags = [&["--provider-id-prefix", "demo://", "--call-timeout", "5s", "--debug-level", "9"], flags].concat();
    Driver::start(env!("CARGO_BIN_EXE_outrigger-node-exec"), &flags, &[ENVIRONMENT]).unwrap()
}

pub(crate) fn worker() -> Node {
    Node { name: "worker-1".to_owned(), provider_id: "demo://1".to_owned(), ..Node::default() }
}

pub(crate) fn take() -> Take {
    Take { node: worker(), step: Step::Reboot, token: "token-1".to_owned(), reason: "a test".to_owned() }
}

/// As the other end of the protocol calls it.
pub(crate) fn state_name(state: State) -> String {
    format!("{state:?}")
}

pub(crate) fn path(scratch: &Scratch, name: &str) -> String {
    scratch.file(name).display().to_string()
}
