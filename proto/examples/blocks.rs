//! How fast entries are made, read and checked on this machine: `cargo run --release -p proto --example blocks`.
//!
//! In entries a CPU second, for messages of several lengths. The numbers are for people; nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{fs, hint::black_box};

use proto::cbt::{Block, Blocks, Builder, Checker, Kind, Query, Snapshot};

/// Entries for each of the figures: 1 TiB in blocks of 64 KiB.
const ENTRIES: u64 = 1 << 24;
const SIZE: u64 = 64 << 10;

fn main() {
    println!("{:>12} {:>8} {:>14}", "per message", "what", "M entries/s");
    for per_message in [256, 1024, 16384] {
        let messages = ENTRIES / per_message;
        measure(per_message, "make", || {
            for message in 0..messages {
                black_box(message_at(message, per_message));
            }
        });
        let some: Vec<_> = (0..64).map(|message| message_at(message, per_message)).collect();
        let mut rounds = (0..messages).map(|message| &some[message as usize % some.len()]);
        measure(per_message, "read", || {
            for message in rounds.by_ref() {
                black_box(Blocks::decode(message.encoded().clone())).ok();
            }
        });
        let query = Query::allocated(Snapshot::Handle(String::new()));
        measure(per_message, "check", || {
            for _ in 0..messages / 64 {
                let mut checker = Checker::new(&query);
                for message in &some {
                    let blocks = Blocks::decode(message.encoded().clone());
                    black_box(blocks.and_then(|blocks| checker.check(&blocks))).ok();
                }
            }
        });
        measure(per_message, "iterate", || {
            for message in 0..messages {
                let message = &some[message as usize % some.len()];
                black_box(message.iter().map(|block| block.offset ^ block.size).fold(0, |sum, next| sum ^ next));
            }
        });
    }
}

fn message_at(message: u64, per_message: u64) -> Blocks {
    let mut builder = Builder::new(Kind::Fixed, ENTRIES * SIZE);
    for entry in message * per_message..(message + 1) * per_message {
        builder.push(Block { offset: entry * SIZE, size: SIZE, token: &[] });
    }
    builder.finish()
}

fn measure(per_message: u64, what: &str, run: impl FnOnce()) {
    let before = cpu_seconds();
    run();
    let spent = cpu_seconds() - before;
    println!("{per_message:>12} {what:>8} {:>14.1}", ENTRIES as f64 / spent / 1e6);
}

/// What the process has used so far.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
