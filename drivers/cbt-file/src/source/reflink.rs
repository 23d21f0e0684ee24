//! Files that share extents: where both have the same blocks of the disk, nothing changed, and nothing is read.
//!
//! Only what the file system says of both, without any reservation, is believed: the extent is mapped, on disk as it is,
//! shared, and at the same place. Everything else that is mapped in neither of the two plain ways is compared. When the
//! files share nothing at all the map tells nothing, since a copied file differs in every block's place.

use std::{iter::Peekable, ops::Range, os::unix::fs::MetadataExt, sync::Arc};

use fiemap::{Fiemap, FiemapExtent, FiemapExtentFlags, FiemapFlags};
use proto::cbt::Result;

use super::Context;
use crate::{
    cancel::Cancel,
    compare::Compare,
    file::File,
    image::Image,
    map::{Cursor, Map, Span, Writer},
    ranges::{Ask, Ranges, Step},
};

/// What a part of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not mapped: zeros.
    Hole,
    /// On disk, its first byte there.
    Mapped { at: u64, shared: bool },
    /// Something else.
    Unclear,
}

/// What two parts of the same length are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    Different,
    Doubt,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<u64>,
    state: State,
}

/// The ranges of a map, those in doubt compared.
struct Reflink {
    cursor: Cursor,
    comparing: Option<Compare>,
    base: Arc<File>,
    target: Arc<File>,
    ask: Ask,
}

/// What changed between two files, if they share anything.
pub(super) fn delta(
    base: &Arc<File>,
    target: &Arc<File>,
    ask: Ask,
    context: &Context,
) -> Result<Option<Box<dyn Ranges>>> {
    let devices = [base, target].map(|file| file.file().metadata().map(|metadata| metadata.dev()));
    if !matches!(&devices, [Ok(a), Ok(b)] if a == b) {
        return Ok(None);
    }
    let name = format!("reflink {:?} {:?}", base.identity(), target.identity());
    let map = context.maps.get(&name, || map(base, target, &context.cancel))?;
    let Some(map) = map else { return Ok(None) };
    let reflink = Reflink {
        cursor: map.after(ask.start)?,
        comparing: None,
        base: Arc::clone(base),
        target: Arc::clone(target),
        ask,
    };
    Ok(Some(Box::new(reflink)))
}

// === impl Reflink ===

impl Ranges for Reflink {
    fn step(&mut self) -> Result<Step> {
        if let Some(comparing) = &mut self.comparing {
            let step = comparing.step()?;
            if step != Step::End {
                return Ok(step);
            }
            self.comparing = None;
        }
        self.base.check()?;
        self.target.check()?;
        match self.cursor.next()? {
            None => Ok(Step::End),
            Some(Span { range, doubt: false }) => Ok(Step::Found(range)),
            Some(Span { range, doubt: true }) => {
                let (base, target) = (self.base.clone(), self.target.clone());
                self.comparing = Some(Compare::within(base, target, self.ask, &range));
                Ok(Step::Passed)
            }
        }
    }
}

/// What changed, and what is in doubt; `None` if the two share nothing, or the file system does not tell.
fn map(base: &File, target: &File, cancel: &Cancel) -> Result<Option<Map>> {
    let size = target.size();
    let (mut left, mut right) = (parts(base, size).peekable(), parts(target, size).peekable());
    let (mut writer, mut shared, mut at, mut turns) = (Writer::new()?, false, 0, 0u64);
    while at < size {
        turns += 1;
        if turns.is_multiple_of(4096) {
            cancel.check()?;
        }
        let (Some(before), Some(after)) = (part(&mut left, at, size), part(&mut right, at, size)) else {
            return Ok(None);
        };
        let end = before.range.end.min(after.range.end);
        match relation(before.state, after.state) {
            Relation::Same => shared |= after.state != State::Hole,
            Relation::Different => writer.push(Span::sure(at..end))?,
            Relation::Doubt => writer.push(Span { range: at..end, doubt: true })?,
        }
        at = end;
    }
    // Had one been written to in between, the two maps would not be of one time.
    base.check()?;
    target.check()?;
    if shared { writer.finish().map(Some) } else { Ok(None) }
}

/// What two parts that begin at the same byte are to each other.
fn relation(before: State, after: State) -> Relation {
    match (before, after) {
        (State::Hole, State::Hole) => Relation::Same,
        (State::Unclear, _) | (_, State::Unclear) => Relation::Doubt,
        (State::Mapped { at: a, shared: true }, State::Mapped { at: b, shared: true }) if a == b => Relation::Same,
        // One place that is not said to be shared: two devices of one file system, perhaps.
        (State::Mapped { at: a, .. }, State::Mapped { at: b, .. }) if a == b => Relation::Doubt,
        _ => Relation::Different,
    }
}

/// The rest, from `at` on, of the part that `at` is in; what is not mapped is a hole. `None` after an error.
fn part(parts: &mut Peekable<impl Iterator<Item = Option<Part>>>, at: u64, size: u64) -> Option<Part> {
    while parts.next_if(|part| part.as_ref().is_some_and(|part| part.range.end <= at)).is_some() {}
    let next = match parts.peek() {
        None => return Some(Part { range: at..size, state: State::Hole }),
        Some(part) => part.as_ref()?,
    };
    let Range { start, end } = next.range;
    if start > at {
        return Some(Part { range: at..start.min(size), state: State::Hole });
    }
    let state = match next.state {
        State::Mapped { at: place, shared } => State::Mapped { at: place + (at - start), shared },
        state => state,
    };
    Some(Part { range: at..end.min(size), state })
}

/// The parts of a file that are mapped, written out first; `None` when the file system does not tell.
fn parts(file: &File, size: u64) -> impl Iterator<Item = Option<Part>> + use<'_> {
    let extents = Fiemap::with_flags(file.file(), FiemapFlags::SYNC);
    extents
        .map(|extent| extent.ok().and_then(|extent| Part::of(&extent)))
        .take_while(move |part| part.as_ref().is_none_or(|part| part.range.start < size))
}

// === impl Part ===

impl Part {
    /// `None` for what makes no sense.
    fn of(extent: &FiemapExtent) -> Option<Self> {
        let plain = FiemapExtentFlags::LAST | FiemapExtentFlags::MERGED | FiemapExtentFlags::SHARED;
        let end = extent.fe_logical.checked_add(extent.fe_length).filter(|end| *end > extent.fe_logical)?;
        extent.fe_physical.checked_add(extent.fe_length)?;
        let state = match extent.fe_flags.bits() & !plain.bits() {
            0 => State::Mapped { at: extent.fe_physical, shared: extent.fe_flags.contains(FiemapExtentFlags::SHARED) },
            _ => State::Unclear,
        };
        Some(Self { range: extent.fe_logical..end, state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shared_extents_at_one_place_are_the_same() {
        let shared = |at| State::Mapped { at, shared: true };
        let alone = |at| State::Mapped { at, shared: false };
        let cases = [
            (State::Hole, State::Hole, Relation::Same),
            (shared(7), shared(7), Relation::Same),
            (shared(7), shared(8), Relation::Different),
            (shared(7), State::Hole, Relation::Different),
            (State::Hole, alone(7), Relation::Different),
            (alone(7), alone(7), Relation::Doubt),
            (shared(7), alone(7), Relation::Doubt),
            (State::Unclear, State::Unclear, Relation::Doubt),
            (State::Unclear, State::Hole, Relation::Doubt),
            (shared(7), State::Unclear, Relation::Doubt),
        ];
        for (before, after, expected) in cases {
            assert_eq!(relation(before, after), expected, "{before:?} {after:?}");
            assert_eq!(relation(after, before), expected, "{after:?} {before:?}");
        }
    }

    #[test]
    fn between_extents_there_are_holes() {
        let mapped = |range: Range<u64>, at| Some(Part { range, state: State::Mapped { at, shared: true } });
        let mut parts = [mapped(10..20, 1000), mapped(20..30, 5000)].into_iter().peekable();
        let mut at = |at| part(&mut parts, at, 100).map(|part| (part.range, part.state));
        assert_eq!(at(0), Some((0..10, State::Hole)));
        assert_eq!(at(12), Some((12..20, State::Mapped { at: 1002, shared: true })));
        assert_eq!(at(20), Some((20..30, State::Mapped { at: 5000, shared: true })));
        assert_eq!(at(30), Some((30..100, State::Hole)));
        assert_eq!(part(&mut [None].into_iter().peekable(), 0, 100), None);
    }
}
