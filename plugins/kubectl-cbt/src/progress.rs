//! How far it is, on a terminal: entries, bytes, rate and time left. Elsewhere nothing is said, so that logs stay short.

use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use proto::cbt::Blocks;

/// A bar over the volume, on standard error; nothing where that is no terminal. It goes when it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    entries: u64,
    bytes: u64,
}

/// Says a line on standard error, above the bar.
#[derive(Clone)]
pub(crate) struct Speaker(ProgressBar);

// === impl Progress ===

impl Progress {
    /// A bar that has not moved.
    pub(crate) fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(10))
    }

    /// No bar, only numbers.
    pub(crate) fn hidden() -> Self {
        Self::on(ProgressDrawTarget::hidden())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let style = ProgressStyle::with_template("{elapsed:>4} {bar:30} {percent:>3}% {msg}, {eta} left");
        let bar = ProgressBar::with_draw_target(Some(0), target);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, entries: 0, bytes: 0 }
    }

    /// For what is said beside it.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker(self.bar.clone())
    }

    /// A message has come whose data, if it is copied, comes later.
    pub(crate) fn listed(&mut self, blocks: &Blocks) {
        self.bar.set_length(blocks.capacity());
        self.entries += blocks.len() as u64;
        self.bytes += blocks.iter().map(|block| block.size).sum::<u64>();
        self.at(blocks.end());
    }

    /// The volume's size is known.
    pub(crate) fn capacity(&self, bytes: u64) {
        self.bar.set_length(bytes);
    }

    /// All before a byte was done earlier.
    pub(crate) fn begin(&self, position: u64) {
        self.bar.set_position(position);
        self.bar.reset_eta();
    }

    /// A block has been copied.
    pub(crate) fn copied(&mut self, offset: u64, bytes: u64) {
        self.entries += 1;
        self.bytes += bytes;
        self.at(offset + bytes);
    }

    /// `12,345 blocks, 6.0 GiB`
    pub(crate) fn summary(&self) -> String {
        format!("{} blocks, {}", HumanCount(self.entries), HumanBytes(self.bytes))
    }

    fn at(&self, position: u64) {
        self.bar.set_position(position);
        let seconds = self.bar.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        let rate = |amount: u64| (amount as f64 / seconds) as u64;
        let rates = format!("{}/s, {}/s", HumanCount(rate(self.entries)), HumanBytes(rate(self.bytes)));
        self.bar.set_message(format!("{} ({rates})", self.summary()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

// === impl Speaker ===

impl Speaker {
    /// Where there is no bar.
    #[cfg(test)]
    pub(crate) fn without_bar() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Says it.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }
}
