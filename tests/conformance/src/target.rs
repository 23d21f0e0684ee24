//! Where a case is run. Adding a target is one line in [`TARGETS`].

use crate::subject::{SUBJECTS, Subject};

/// A server, and a way to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Target {
    /// The kind as a CRD in the kube-apiserver. It is always right.
    Oracle,
    /// The same CRD in yet another group. It must not differ at all: if it does, the comparison is wrong, not the server.
    Twin,
    /// Us, through the kube-apiserver's aggregator.
    Aggregated,
    /// Us, past the aggregator.
    Direct,
}

/// What is compared with the oracle.
pub const TARGETS: &[Target] = &[Target::Twin, Target::Aggregated, Target::Direct];

// === impl Target ===

impl Target {
    /// Its name in reports and in `differences.toml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle",
            Self::Twin => "twin",
            Self::Aggregated => "aggregated",
            Self::Direct => "direct",
        }
    }

    /// The group of the kind there. Ours is the true one, as we take the requests that the CRD would get.
    #[must_use]
    pub fn group(self, subject: &Subject) -> String {
        match self {
            Self::Oracle | Self::Twin => format!("{}.{}", self.name(), subject.group),
            Self::Aggregated | Self::Direct => subject.group.to_owned(),
        }
    }

    /// Whether a kind is compared there. One kind is enough to show that the comparison itself is right.
    #[must_use]
    pub fn suits(self, subject: &Subject) -> bool {
        self != Self::Twin || SUBJECTS.first().is_some_and(|first| first.plural == subject.plural)
    }

    /// Whether it is us.
    #[must_use]
    pub const fn ours(self) -> bool {
        matches!(self, Self::Aggregated | Self::Direct)
    }
}
