//! How many entries a CPU second the encoder writes: `cargo run --release -p cbt-api --example encode`.
#![expect(clippy::print_stdout, reason = "it is run to be read")]

use cbt_api::entries::{Encoder, Style};
use proto::cbt::{Block, Blocks, Builder, Kind};

/// A volume of 1 TiB in blocks of 64 KiB.
const BLOCKS: u64 = 1 << 24;
const PER_MESSAGE: u64 = 4096;

fn main() {
    println!("{:>8} {:>6} {:>16} {:>10}", "style", "token", "entries/CPU s", "GB/CPU s");
    for token in [0, 13, 64] {
        let token = "k".repeat(token);
        let messages: Vec<Blocks> = (0..BLOCKS / PER_MESSAGE).map(|at| message(at, token.as_bytes())).collect();
        for style in [Style::Json, Style::Lines, Style::Pretty, Style::Yaml] {
            let (mut encoder, mut bytes) = (Encoder::new(style), 0);
            let begin = cpu_seconds();
            for message in &messages {
                let mut out = Vec::new();
                encoder.write(message, &mut out).expect("tokens are plain");
                bytes += out.len();
            }
            let seconds = cpu_seconds() - begin;
            let (rate, volume) = (BLOCKS as f64 / seconds / 1e6, bytes as f64 / seconds / 1e9);
            println!("{:>8} {:>6} {:>14.1} M {:>10.2}", format!("{style:?}"), token.len(), rate, volume);
        }
    }
}

fn message(at: u64, token: &[u8]) -> Blocks {
    let mut builder = Builder::new(Kind::Fixed, BLOCKS << 16);
    builder.validity(1_700_000_000, 3 * 3600);
    for block in at * PER_MESSAGE..(at + 1) * PER_MESSAGE {
        builder.push(Block { offset: block << 16, size: 1 << 16, token });
    }
    builder.finish()
}

/// What this thread has had of a CPU.
fn cpu_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("a number") / 1e9
}
