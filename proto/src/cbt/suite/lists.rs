//! Lists: what is in them.

use super::*;

/// And nothing that is far from it.
pub async fn allocated_blocks_cover_what_is_allocated(subject: &dyn Subject) {
    let truth = subject.truth();
    for shape in [Shape::Ranges, Shape::Blocks] {
        let listed = ok(list(subject.blocks(), Query { shape, ..truth.allocated() }).await);
        covers(&listed, &truth.allocated, truth, shape);
    }
}

/// And nothing that is far from it.
pub async fn a_delta_covers_what_changed(subject: &dyn Subject) {
    let truth = subject.truth();
    for shape in [Shape::Ranges, Shape::Blocks] {
        let listed = ok(list(subject.blocks(), Query { shape, ..truth.delta() }).await);
        covers(&listed, &truth.changed, truth, shape);
    }
}

fn covers(listed: &Listed, expected: &[Range<u64>], truth: &Truth, shape: Shape) {
    let entries: Vec<_> = listed.entries.iter().map(|entry| entry.offset..entry.end()).collect();
    let missed = expected.iter().find(|range| !within(range, &entries));
    assert_eq!(missed, None, "not in the list, shape {shape:?}: {entries:?}");
    let block = if shape == Shape::Blocks { listed.entries.first().map_or(1, |entry| entry.size) } else { 1 };
    let coarse: Vec<_> = expected.iter().map(|range| outward(range, truth.granularity.max(block))).collect();
    let beyond = entries.iter().find(|entry| !within(entry, &coarse));
    assert_eq!(beyond, None, "in the list without reason, shape {shape:?}: {expected:?}");
    if !entries.is_empty() {
        assert_eq!(listed.capacity, truth.capacity);
    }
}

/// `range` up to multiples of `unit`.
fn outward(range: &Range<u64>, unit: u64) -> Range<u64> {
    range.start / unit * unit..range.end.next_multiple_of(unit)
}

/// Whether `ranges`, in order, cover `range` without a gap.
fn within(range: &Range<u64>, ranges: &[Range<u64>]) -> bool {
    let reached = ranges
        .iter()
        .fold(range.start, |reached, other| if other.start <= reached { reached.max(other.end) } else { reached });
    reached >= range.end
}

/// An answer, and an empty one.
pub async fn a_snapshot_does_not_differ_from_itself(subject: &dyn Subject) {
    let truth = subject.truth();
    for shape in [Shape::Ranges, Shape::Blocks] {
        let query = Query { base: Some(truth.target.clone()), shape, ..truth.allocated() };
        assert_eq!(ok(list(subject.blocks(), query).await).entries, []);
    }
}

/// At multiples of one size, each that a range touches, once.
pub async fn blocks_are_the_ranges_cut(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        let ranges = ok(list(subject.blocks(), query.clone()).await);
        let blocks = ok(list(subject.blocks(), Query { shape: Shape::Blocks, ..query }).await);
        let size = blocks.entries.first().map_or(1, |block| block.size);
        let mut expected: Vec<_> =
            ranges.entries.iter().flat_map(|range| range.offset / size..range.end().div_ceil(size)).collect();
        expected.dedup();
        let indices: Vec<_> = blocks.entries.iter().map(|block| block.offset / size).collect();
        assert_eq!(indices, expected);
        assert!(blocks.entries.is_empty() || blocks.kind == Some(Kind::Fixed), "{:?}", blocks.kind);
    }
}

/// It counts entries, not messages; 0 is none.
pub async fn a_limit_ends_a_list(subject: &dyn Subject) {
    for query in queries(subject.truth()) {
        let whole = ok(list(subject.blocks(), query.clone()).await).entries;
        for limit in some(whole.len() + 2).filter(|limit| *limit > 0) {
            let listed = ok(list(subject.blocks(), Query { limit: limit as u64, ..query.clone() }).await);
            assert_eq!(listed.entries, whole[..limit.min(whole.len())], "limit {limit}");
        }
    }
}

/// Whatever is in them.
pub async fn messages_are_as_small_as_asked_for(subject: &dyn Subject) {
    for query in queries(subject.truth()) {
        let whole = ok(list(subject.blocks(), query.clone()).await).entries;
        for per_message in [1, 2, 3, u32::MAX] {
            let listed = ok(list(subject.blocks(), Query { per_message, ..query.clone() }).await);
            assert!(listed.messages.iter().all(|entries| *entries <= per_message as usize), "{:?}", listed.messages);
            assert_eq!(listed.entries, whole, "{per_message} in a message");
        }
    }
}

/// Entries do not depend on when they are asked for.
pub async fn a_list_is_the_same_each_time(subject: &dyn Subject) {
    for query in queries(subject.truth()) {
        let once = ok(list(subject.blocks(), query.clone()).await);
        let again = ok(list(subject.blocks(), query).await);
        assert_eq!((once.entries, once.kind, once.capacity), (again.entries, again.kind, again.capacity));
    }
}

/// So that people can tell what is deployed.
pub async fn who_serves_says_what_it_is(subject: &dyn Subject) {
    let info = ok(subject.blocks().info().await);
    assert_ne!(info.version, "");
    assert_eq!(ok(subject.blocks().info().await), info);
}
