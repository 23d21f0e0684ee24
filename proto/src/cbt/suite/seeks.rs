//! Starts: a list from anywhere is the rest of the whole.

use super::*;

/// Every entry that ends after it, whole.
pub async fn a_list_starts_at_any_byte(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        let whole = ok(list(subject.blocks(), query.clone()).await).entries;
        for index in some(whole.len()) {
            let entry = &whole[index];
            let (offset, end) = (entry.offset, entry.end());
            for start in [offset.saturating_sub(1), offset, offset + 1, end - 1, end, end + 1] {
                // The last block may reach beyond the end, where no list starts.
                if start > truth.capacity {
                    continue;
                }
                let listed = ok(list(subject.blocks(), Query { start, ..query.clone() }).await).entries;
                let rest: Vec<_> = whole.iter().filter(|entry| entry.end() > start).cloned().collect();
                assert_eq!(listed, rest, "from byte {start}");
            }
        }
    }
}

/// Every entry at or after it.
pub async fn a_list_starts_at_any_block(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()].map(|query| Query { shape: Shape::Blocks, ..query }) {
        let whole = ok(list(subject.blocks(), query.clone()).await).entries;
        for index in some(whole.len()) {
            let block = whole[index].offset / whole[index].size;
            for start in [block.saturating_sub(1), block, block + 1] {
                let listed = ok(list(subject.blocks(), Query { start, ..query.clone() }).await).entries;
                let rest: Vec<_> = whole.iter().filter(|entry| entry.offset / entry.size >= start).cloned().collect();
                assert_eq!(listed, rest, "from block {start}");
            }
        }
    }
}

/// Again and again, from the end of the last entry: nothing lost, nothing twice.
pub async fn a_list_resumes_where_it_ended(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        resumes(subject, query, |entry| entry.end().min(truth.capacity)).await;
    }
}

/// By index.
pub async fn a_list_of_blocks_resumes_where_it_ended(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        resumes(subject, Query { shape: Shape::Blocks, ..query }, |entry| entry.offset / entry.size + 1).await;
    }
}

async fn resumes(subject: &dyn Subject, query: Query, next: impl Fn(&Entry) -> u64) {
    let whole = ok(list(subject.blocks(), query.clone()).await).entries;
    let limit = (whole.len() as u64 / 7).max(1);
    let (mut parts, mut start) = (Vec::new(), 0);
    loop {
        let part = ok(list(subject.blocks(), Query { start, limit, ..query.clone() }).await).entries;
        let Some(last) = part.last() else { break };
        start = next(last);
        parts.extend(part);
        assert!(parts.len() <= whole.len(), "more than the whole: {parts:?}");
    }
    assert_eq!(parts, whole);
}

/// No error: it is where a list that was complete goes on.
pub async fn nothing_is_at_the_end(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        let query = Query { start: truth.capacity, ..query };
        assert_eq!(ok(list(subject.blocks(), query).await).entries, []);
    }
}

/// By a byte, or by far.
pub async fn a_start_past_the_end_is_out_of_range(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in queries(truth) {
        for start in [truth.capacity + 1, i64::MAX as u64, u64::MAX] {
            let refused = error(list(subject.blocks(), Query { start, ..query.clone() }).await);
            assert!(matches!(refused, Error::OutOfRange(_)), "from {start}: {refused:?}");
        }
    }
}
