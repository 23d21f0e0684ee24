//! How far a restart is, on standard error: one line that changes on a terminal, a line for each change elsewhere.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::restart;

/// One restart's.
pub(crate) struct Progress {
    node: String,
    bar: Option<ProgressBar>,
    said: String,
}

// === impl Progress ===

impl Progress {
    /// Of a node's restart that begins now.
    pub(crate) fn new(node: &str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_prefix(format!("node/{node}"));
            let style = ProgressStyle::with_template("{spinner} {prefix} {wide_msg} {elapsed:>4}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { node: node.to_owned(), bar, said: String::new() }
    }

    /// It is as far as this.
    pub(crate) fn at(&mut self, restart: &Value) {
        self.say(&restart::line(restart));
    }

    /// Something else is worth a line.
    pub(crate) fn say(&mut self, line: &str) {
        if self.said == line {
            return;
        }
        line.clone_into(&mut self.said);
        let line = plugin::plain(line);
        match &self.bar {
            Some(bar) => bar.set_message(line),
            None => eprintln!("node/{}: {line}", self.node),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
