//! Which BMC is whose: a file of the operator.
//!
//! ```toml
//! [[machine]]
//! node = "worker-1"
//! provider-id = "metal3://baremetal/worker-1/worker-1-x7k2p"
//! url = "https://bmc-1.example"
//! system = "1"
//! username = "outrigger"
//! password-file = "/etc/outrigger/bmc/worker-1"
//! ca-file = "/etc/outrigger/bmc/ca.crt"
//! ```
//! `node` or `provider-id` may be left out; where both are given, both must be the node's. `system` may be left out where
//! the BMC has only one, and `ca-file` where the system's CAs are those of the BMC.

use std::path::{Path, PathBuf};

use power::http::Endpoint;
use proto::node::{Error, Node};
use serde::{Deserialize, Deserializer};

/// The schemes of the providerIDs that are answered for: what Metal³ writes, and what an operator may.
const SCHEMES: [&str; 2] = ["metal3://", "redfish://"];

/// One machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Machine {
    pub(crate) node: Option<String>,
    pub(crate) provider_id: Option<String>,
    #[serde(deserialize_with = "endpoint")]
    pub(crate) url: Endpoint,
    pub(crate) system: Option<String>,
    pub(crate) username: String,
    pub(crate) password_file: PathBuf,
    pub(crate) ca_file: Option<PathBuf>,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachinesError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] runtime::files::Error),
    /// It is not text.
    #[error("{} is not UTF-8", .0.display())]
    Text(PathBuf),
    /// It does not say what it should.
    #[error("{}: {message}", path.display())]
    Toml {
        /// Its path.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// A machine that is nobody's.
    #[error("{}: the machine at {url} has neither node nor provider-id", path.display())]
    Nobody {
        /// The path of the file.
        path: PathBuf,
        /// The machine's BMC.
        url: Endpoint,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    machine: Vec<Machine>,
}

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<Vec<Machine>, MachinesError> {
    let bytes = runtime::files::read(&[path.to_owned()])?.remove(0);
    let text = String::from_utf8(bytes).map_err(|_| MachinesError::Text(path.to_owned()))?;
    let toml = |error: toml::de::Error| MachinesError::Toml {
        path: path.to_owned(),
        message: format!("{} {}", error.message(), line(&text, error.span())),
    };
    let Document { machine: machines } = toml::from_str(&text).map_err(toml)?;
    match machines.iter().find(|machine| machine.node.is_none() && machine.provider_id.is_none()) {
        Some(machine) => Err(MachinesError::Nobody { path: path.to_owned(), url: machine.url.clone() }),
        None => Ok(machines),
    }
}

/// The one machine of a node.
pub(crate) fn find<'a>(machines: &'a [Machine], node: &Node) -> Result<&'a Machine, Error> {
    let Node { name, provider_id, .. } = node;
    if !SCHEMES.iter().any(|scheme| provider_id.len() > scheme.len() && provider_id.starts_with(scheme)) {
        return Err(Error::Invalid(format!("providerID {provider_id:?} is neither metal3://… nor redfish://…")));
    }
    let is = |given: &Option<String>, value: &String| given.as_ref().is_none_or(|given| given == value);
    let mut found = machines.iter().filter(|machine| is(&machine.node, name) && is(&machine.provider_id, provider_id));
    match (found.next(), found.next()) {
        (Some(machine), None) => Ok(machine),
        (None, _) => Err(Error::Invalid(format!(
            "node {name:?} with providerID {provider_id:?} is not in the file of --redfish-machines"
        ))),
        (Some(_), Some(_)) => Err(Error::Invalid(format!(
            "node {name:?} with providerID {provider_id:?} is more than one machine in the file of --redfish-machines"
        ))),
    }
}

/// Says which line, and nothing of what it holds.
fn line(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| format!("(line {})", before.matches('\n').count() + 1))
}

fn endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Endpoint, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|error| serde::de::Error::custom(format!("url: {error}")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn document(text: &str) -> Result<Vec<Machine>, MachinesError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("machines.toml");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    fn machine(keys: &str) -> String {
        format!("[[machine]]\n{keys}\nurl = \"https://b\"\nusername = \"u\"\npassword-file = \"p\"\n")
    }

    fn node(name: &str, provider_id: &str) -> Node {
        Node { name: name.to_owned(), provider_id: provider_id.to_owned(), ..Node::default() }
    }

    #[test]
    fn a_machine_is_found_by_all_that_is_said_of_it() {
        let text = [
            machine("node = 'a'\nsystem = '1'"),
            machine("provider-id = 'metal3://x/b/1'\nsystem = '2'"),
            machine("node = 'c'\nprovider-id = 'redfish://c'\nsystem = '3'"),
        ];
        let machines = document(&text.concat()).unwrap();
        let system = |node: &Node| find(&machines, node).map(|machine| machine.system.clone().unwrap());
        assert_eq!(system(&node("a", "redfish://anything")).unwrap(), "1");
        assert_eq!(system(&node("b", "metal3://x/b/1")).unwrap(), "2");
        assert_eq!(system(&node("c", "redfish://c")).unwrap(), "3");
        for (name, provider_id) in [
            ("c", "redfish://d"),
            ("d", "redfish://c"),
            ("d", "redfish://d"),
            ("a", ""),
            ("a", "redfish://"),
            ("a", "aws:///x/i-0"),
            // Both the first and the second: nobody can know which is meant.
            ("a", "metal3://x/b/1"),
        ] {
            assert!(matches!(system(&node(name, provider_id)), Err(Error::Invalid(_))), "{name} {provider_id}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_not_shown() {
        let said = |text: &str| document(text).unwrap_err().to_string();
        assert!(said(&machine("")).contains("neither node nor provider-id"));
        assert!(said(&machine("node = 'a'\npassword = 'canary'")).contains("password"));
        for text in [
            machine("node = 'a'\npassword = 'canary'"),
            "[[machine]]\nnode = 'a'\nurl = 'https://user:canary@b'\n".to_owned(),
            "[[machine]]\nnode = 'a'\nurl = 'http://canary'\n".to_owned(),
            "[[machine]]\nnode = 'canary\n".to_owned(),
        ] {
            let said = said(&text);
            assert!(said.contains("line ") && !said.contains("canary"), "{said}");
        }
        assert!(document("").unwrap().is_empty());
    }
}
