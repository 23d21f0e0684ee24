//! What a measure costs: time by the wall, processor time and memory of each process, and what the rest of the machine did
//! meanwhile, by which one knows what the others are worth.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::procstat::{Memory, Usage, machine};
use crate::target::Process;

/// Takes the cost of what runs between its start and its end.
pub(crate) struct Meter<'a> {
    processes: &'a [Process],
    usage: Usage,
    machine: f64,
    begun: Instant,
}

/// What something cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// By the wall.
    pub(crate) elapsed: Duration,
    /// Processor seconds by process.
    pub(crate) usage: Usage,
    /// The most memory that was resident by process, and what of the memory at the end was not pages of files; in bytes.
    pub(crate) memory: BTreeMap<String, (u64, u64)>,
    /// Processor seconds of whatever else ran on this machine.
    pub(crate) others: f64,
}

// === impl Meter ===

impl<'a> Meter<'a> {
    pub(crate) fn start(processes: &'a [Process]) -> Self {
        processes.iter().for_each(Memory::forget_peak);
        Self { processes, usage: Usage::now(processes), machine: machine(), begun: Instant::now() }
    }

    /// How long it runs already.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn end(self) -> Cost {
        let elapsed = self.elapsed();
        let usage = Usage::now(self.processes).since(&self.usage);
        let ours: f64 = usage.0.values().sum();
        let memory = |process: &Process| {
            let Memory { peak, anonymous, .. } = Memory::now(process);
            (process.name.clone(), (peak, anonymous))
        };
        let memory = self.processes.iter().map(memory).collect();
        Cost { elapsed, usage, memory, others: (machine() - self.machine - ours).max(0.0) }
    }
}

// === impl Cost ===

impl Cost {
    /// Adds what the same cost another time.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.usage.absorb(&other.usage);
        self.others += other.others;
        for (name, (peak, anonymous)) in &other.memory {
            let most = self.memory.entry(name.clone()).or_default();
            *most = (most.0.max(*peak), most.1.max(*anonymous));
        }
    }

    /// Processor seconds of one process; none if it was not looked at.
    pub(crate) fn seconds(&self, process: &str) -> Option<f64> {
        self.usage.0.get(process).copied()
    }

    /// The most resident memory of one process, in MiB.
    pub(crate) fn resident(&self, process: &str) -> Option<f64> {
        self.memory.get(process).map(|(peak, _)| mebibytes(*peak))
    }

    /// What of it is not pages of files, of which others have the same ones, in MiB.
    pub(crate) fn anonymous(&self, process: &str) -> Option<f64> {
        self.memory.get(process).map(|(_, anonymous)| mebibytes(*anonymous))
    }

    /// How many processors others had.
    pub(crate) fn load(&self) -> f64 {
        self.others / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_and_the_largest_peak_counts() {
        let cost = |seconds: f64, peak| Cost {
            elapsed: Duration::from_secs(1),
            usage: Usage([("relay".to_owned(), seconds)].into()),
            memory: [("relay".to_owned(), (peak, 1 << 20))].into(),
            others: 0.5,
        };
        let mut all = cost(0.25, 3 << 20);
        all.absorb(&cost(0.5, 2 << 20));
        assert_eq!((all.elapsed, all.seconds("relay")), (Duration::from_secs(2), Some(0.75)));
        assert_eq!((all.resident("relay"), all.anonymous("relay"), all.load()), (Some(3.0), Some(1.0), 0.5));
        assert_eq!(all.seconds("another"), None);
    }

    #[test]
    fn what_this_process_does_is_its_own() {
        let me = [Process { name: "me".to_owned(), pid: std::process::id() }];
        let meter = Meter::start(&me);
        let mut sum = 0_u64;
        while meter.elapsed() < Duration::from_millis(60) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let cost = meter.end();
        assert!(cost.seconds("me").is_some_and(|seconds| seconds > 0.0) && cost.resident("me") > Some(0.0));
    }
}
