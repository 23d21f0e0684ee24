//! What the databases do not agree on.

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

// === impl Dialect ===

impl Dialect {
    /// Where in a JSON column something is, as a bound text.
    pub(super) fn path(self, parts: &[&str]) -> String {
        let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
        match self {
            Self::Sqlite => format!("$.{}", quoted.join(".")),
            Self::Postgres => format!("{{{}}}", quoted.join(",")),
        }
    }
}
