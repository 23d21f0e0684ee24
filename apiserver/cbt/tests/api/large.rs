//! Answers that are longer than memory should be.

use std::sync::{Arc, atomic::Ordering};

use futures::StreamExt;
use proto::cbt::suite::Synthetic;

use crate::{
    DELTAS,
    source::{Named, Script, Seen, message},
    with_delta,
};

const ENTRIES: u64 = 7_000_000;

#[tokio::test]
async fn nothing_is_taken_that_nobody_reads() {
    let seen = Arc::new(Seen::default());
    let messages = (0..100).map(|at| message(at * 10..at * 10 + 10)).collect();
    let server = with_delta(Script { messages, seen: Arc::clone(&seen), ..Script::default() }).await;
    let answer = server.answer("GET", &format!("{DELTAS}/d?fetchcbd=true&limit=0"), "", String::new()).await;
    let mut body = answer.into_body().into_data_stream();
    for read in 1..=100 {
        body.next().await.expect("more").expect("good");
        assert_eq!(seen.taken.load(Ordering::SeqCst), read, "a message is taken when the one before it is gone");
    }
}

#[tokio::test]
#[ignore = "seven million entries, twice, take a debug build a minute"]
async fn seven_million_entries_take_no_memory() {
    let server = with_delta(Named(Synthetic::full(ENTRIES, 1 << 19))).await;
    for (accept, last) in [("application/json", "}}"), ("application/x-ndjson", "}}\n")] {
        let uri = format!("{DELTAS}/d?fetchcbd=true&limit=0");
        let answer = server.accepting(accept).answer("GET", &uri, "", String::new()).await;
        let mut body = answer.into_body().into_data_stream();
        let (mut entries, mut bytes, mut largest, mut grown) = (0, 0, 0, 0);
        let mut begin = None;
        while let Some(piece) = body.next().await {
            let piece = piece.expect("good");
            entries += piece.windows(10).filter(|window| window == b"{\"offset\":").count() as u64;
            (bytes, largest) = (bytes + piece.len(), largest.max(piece.len()));
            let resident = resident();
            // What is there when the answer is under way is there at its end.
            grown = grown.max(resident.saturating_sub(*begin.get_or_insert(resident)));
        }
        assert_eq!(entries, ENTRIES, "{last}");
        assert!(bytes > 800_000_000, "{bytes} bytes");
        assert!(largest < 1 << 20, "pieces of {largest} bytes");
        assert!(grown < 16 << 20, "grew by {grown} bytes");
    }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") << 10
}
