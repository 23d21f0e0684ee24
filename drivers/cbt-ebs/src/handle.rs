//! Snapshot ids.

use std::fmt;

use proto::cbt::{Error, Result, Snapshot};

/// The longest id that the API takes.
const LONGEST: usize = 64;

/// An EBS snapshot's id: `snap-` and hexadecimal digits. It is the CSI snapshot handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotId(String);

// === impl SnapshotId ===

impl SnapshotId {
    /// The id that a handle is; [`Error::Invalid`] when it is none.
    pub(crate) fn parse(snapshot: &Snapshot) -> Result<Self> {
        let handle = match snapshot {
            Snapshot::Handle(handle) => handle,
            Snapshot::Named { namespace, name } => {
                return Err(Error::Invalid(format!(
                    "{namespace}/{name} is a VolumeSnapshot, and EBS knows handles only"
                )));
            }
        };
        let digits = handle.strip_prefix("snap-").unwrap_or_default();
        let good = !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !good || handle.len() > LONGEST {
            return Err(Error::Invalid(format!(
                "the snapshot handle {handle:?} is not the id of an EBS snapshot, snap-…"
            )));
        }
        Ok(Self(handle.clone()))
    }

    /// As the API takes it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What tells it from other ids.
    pub(crate) fn digits(&self) -> &str {
        &self.0["snap-".len()..]
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_snapshots_are_handles() {
        let parse = |handle: &str| SnapshotId::parse(&Snapshot::Handle(handle.to_owned()));
        assert_eq!(
            parse("snap-0123456789abcdef0").map(|id| id.digits().to_owned()),
            Ok("0123456789abcdef0".to_owned())
        );
        let long = format!("snap-{}", "0".repeat(60));
        for bad in ["", "snap-", "snap-XYZ", "snap-012 ", "vol-0123", "snap-012/../x", "SNAP-012", &long] {
            assert!(matches!(parse(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
        let named = Snapshot::Named { namespace: "default".into(), name: "snap-0123".into() };
        assert!(matches!(SnapshotId::parse(&named), Err(Error::Invalid(_))));
    }
}
