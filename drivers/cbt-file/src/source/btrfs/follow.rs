//! Follows one file through a stream: what it is called at each moment, and what of it changed.

use std::{collections::BTreeSet, ops::Range};

use super::command::Command;

/// Names of one file at one time; more, and it is not followed any further.
const NAMES: usize = 64;
/// Ranges kept apart; more, and those nearest to each other are taken for one.
const RANGES: usize = 1 << 20;

/// What is known of the file.
#[derive(Debug)]
pub(super) struct Follow {
    /// Its names at this moment; none once it is lost.
    names: BTreeSet<Vec<u8>>,
    size: u64,
    /// What changed, in the order in which it was told.
    changed: Vec<Range<u64>>,
    /// How many ranges to keep.
    keep: usize,
}

// === impl Follow ===

impl Follow {
    /// Begins with the file at `path`, which has `size` bytes in the end.
    pub(super) fn new(path: &str, size: u64) -> Self {
        Self { names: BTreeSet::from([path.as_bytes().to_vec()]), size, changed: Vec::new(), keep: RANGES }
    }

    /// Takes the next command of the stream.
    pub(super) fn take(&mut self, command: &Command<'_>) {
        match *command {
            Command::Rename { path, to } => self.rename(path, to),
            Command::Link { path, to } if self.names.contains(path) && self.names.len() < NAMES => {
                self.names.insert(to.to_vec());
            }
            Command::Unlink { path } => {
                self.names.remove(path);
            }
            Command::Change { path, offset, size } if self.names.contains(path) => {
                self.change(offset..offset.saturating_add(size));
            }
            Command::Truncate { path, size } if self.names.contains(path) => self.change(size..u64::MAX),
            Command::Link { .. } | Command::Change { .. } | Command::Truncate { .. } | Command::Other => {}
        }
    }

    /// What changed of the file, in order, if it is now the one at `path`.
    pub(super) fn changed(mut self, path: &str) -> Option<Vec<Range<u64>>> {
        self.merge();
        self.names.contains(path.as_bytes()).then_some(self.changed)
    }

    /// A name, or the name of a folder above it, becomes another.
    fn rename(&mut self, path: &[u8], to: &[u8]) {
        let renamed = |name: Vec<u8>| match name.strip_prefix(path) {
            Some(rest) if rest.is_empty() || rest[0] == b'/' => [to, rest].concat(),
            _ => name,
        };
        self.names = std::mem::take(&mut self.names).into_iter().map(renamed).collect();
    }

    fn change(&mut self, range: Range<u64>) {
        let range = range.start..range.end.min(self.size);
        if range.is_empty() {
            return;
        }
        match self.changed.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.changed.push(range),
        }
        if self.changed.len() > 2 * self.keep {
            self.merge();
        }
    }

    /// Puts ranges in order, those that touch as one, and brings them down to as many as are kept.
    fn merge(&mut self) {
        self.changed.sort_unstable_by_key(|range| range.start);
        let mut gap = 0;
        loop {
            self.changed.dedup_by(|next, last| {
                let touches = next.start <= last.end.saturating_add(gap);
                if touches {
                    last.end = last.end.max(next.end);
                }
                touches
            });
            if self.changed.len() <= self.keep {
                return;
            }
            gap = (gap * 2).max(4096);
        }
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "the ranges are what is expected")]
mod tests {
    use super::*;

    fn change(path: &str, range: Range<u64>) -> Command<'_> {
        Command::Change { path: path.as_bytes(), offset: range.start, size: range.end - range.start }
    }

    fn rename<'a>(path: &'a str, to: &'a str) -> Command<'a> {
        Command::Rename { path: path.as_bytes(), to: to.as_bytes() }
    }

    fn follow(commands: &[Command<'_>], path: &str) -> Option<Vec<Range<u64>>> {
        let mut follow = Follow::new("d/disk.img", 1000);
        commands.iter().for_each(|command| follow.take(command));
        follow.changed(path)
    }

    #[test]
    fn a_file_is_followed_through_its_names() {
        let commands = [
            rename("d", "o257-7-0"),
            change("d/disk.img", 0..1),
            rename("o257-7-0", "e"),
            Command::Link { path: b"e/disk.img", to: b"e/vol.img" },
            Command::Unlink { path: b"e/disk.img" },
            change("e/disk.img", 1..2),
            change("e/vol.img", 10..20),
            change("other", 30..40),
            change("e/vol.img", 20..25),
        ];
        assert_eq!(follow(&commands, "e/vol.img"), Some(vec![10..25]));
        assert_eq!(follow(&commands, "d/disk.img"), None);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another() {
        assert_eq!(follow(&[rename("d/disk", "x"), rename("d/disk.img2", "y")], "d/disk.img"), Some(vec![]));
    }

    #[test]
    fn what_a_file_lost_and_what_comes_again_changed() {
        let truncate = Command::Truncate { path: b"d/disk.img", size: 900 };
        assert_eq!(follow(&[change("d/disk.img", 5..10), truncate], "d/disk.img"), Some(vec![5..10, 900..1000]));
        assert_eq!(follow(&[change("d/disk.img", 990..u64::MAX)], "d/disk.img"), Some(vec![990..1000]));
    }

    #[test]
    fn ranges_in_any_order_come_in_order() {
        let commands = [30..40, 10..20, 15..32, 50..60].map(|range| change("d/disk.img", range));
        assert_eq!(follow(&commands, "d/disk.img"), Some(vec![10..40, 50..60]));
    }

    #[test]
    fn too_many_ranges_become_fewer_and_none_is_lost() {
        let mut follow = Follow { size: u64::MAX, keep: 8, ..Follow::new("f", 0) };
        let ranges: Vec<_> = (0..1000u64).map(|number| number * 7919 % 1000 * 10_000).collect();
        ranges.iter().for_each(|start| follow.take(&change("f", *start..start + 1)));
        let changed = follow.changed("f").unwrap_or_default();
        assert!((1..=8).contains(&changed.len()));
        assert!(ranges.iter().all(|start| changed.iter().any(|range| range.contains(start))));
    }
}
