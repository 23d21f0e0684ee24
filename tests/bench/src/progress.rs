//! How far the run is, on a terminal; elsewhere nothing, since the report is the output.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on stderr.
pub(crate) struct Progress(ProgressBar);

// === impl Progress ===

impl Progress {
    pub(crate) fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} (about {eta} left) {wide_msg}");
        bar.set_style(style.expect("the template is constant and parses"));
        bar.enable_steady_tick(Duration::from_secs(1));
        Self(bar)
    }

    /// For a run that does not know its length.
    pub(crate) fn endless() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_secs(1));
        Self(bar)
    }

    /// The next step begins.
    pub(crate) fn step(&self, what: String) {
        if !self.0.message().is_empty() {
            self.0.inc(1);
        }
        self.0.set_message(what);
    }

    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}
