//! Memory and processor time of processes, from `/proc`. A process that is gone weighs nothing and works no more, so that
//! the end of one spoils no table.

use std::collections::BTreeMap;
use std::fs;

use crate::target::Process;

/// Clock ticks a second in `/proc`: the kernel's interface to programs has 100 on every architecture that we build for.
const TICKS: f64 = 100.0;

/// Processor seconds by the name of the process.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Usage(pub(crate) BTreeMap<String, f64>);

/// Memory of one process, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident, pages of files included.
    pub(crate) resident: u64,
    /// Resident, without pages of files.
    pub(crate) anonymous: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

// === impl Usage ===

impl Usage {
    /// What the processes have used since they began; processes of one name count together.
    pub(crate) fn now(processes: &[Process]) -> Self {
        let mut usage = BTreeMap::new();
        for Process { name, pid } in processes {
            let seconds = fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|stat| seconds(&stat));
            *usage.entry(name.clone()).or_default() += seconds.unwrap_or_default();
        }
        Self(usage)
    }

    /// What was used between an earlier time and this one.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |name| earlier.0.get(name).copied().unwrap_or_default();
        Self(self.0.iter().map(|(name, now)| (name.clone(), (now - before(name)).max(0.0))).collect())
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        for (name, seconds) in &other.0 {
            *self.0.entry(name.clone()).or_default() += seconds;
        }
    }
}

// === impl Memory ===

impl Memory {
    pub(crate) fn now(process: &Process) -> Self {
        fs::read_to_string(format!("/proc/{}/status", process.pid)).map(|status| memory(&status)).unwrap_or_default()
    }

    /// Lets the most that was ever resident be what is resident now.
    pub(crate) fn forget_peak(process: &Process) {
        // Where the kernel refuses, the most is that of the process's whole life, which is no less.
        let _ = fs::write(format!("/proc/{}/clear_refs", process.pid), "5");
    }
}

/// Seconds that the processors of this machine have worked, for whomever.
pub(crate) fn machine() -> f64 {
    fs::read_to_string("/proc/stat").ok().and_then(|stat| busy(&stat)).unwrap_or_default()
}

/// Processor seconds of a process, and of those of its children that it has seen end.
pub(crate) fn with_ended(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let own = seconds(&stat).unwrap_or_default();
    own + ended(&stat).unwrap_or_default()
}

/// As [`with_ended`], and those of its children that run.
pub(crate) fn with_children(pid: u32) -> f64 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let running = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).map(with_ended);
    with_ended(pid) + running.sum::<f64>()
}

/// The processes that this one has started and that still run.
pub(crate) fn children() -> Vec<Process> {
    let mut children = Vec::new();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let pids = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for pid in pids.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()) {
            let name = command_line(pid).into_iter().next().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            children.push(Process { name, pid });
        }
    }
    children
}

/// The arguments that a process was started with.
pub(crate) fn command_line(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).split_terminator('\0').map(str::to_owned).collect()
}

/// User and system time out of `/proc/PID/stat`. The name in it may hold spaces and parentheses, so fields count from the
/// last one.
fn seconds(stat: &str) -> Option<f64> {
    pair(stat, 11)
}

/// The same of children that ended.
fn ended(stat: &str) -> Option<f64> {
    pair(stat, 13)
}

fn pair(stat: &str, first: usize) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(first);
    let mut ticks = || times.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// All time of `/proc/stat` but that in which processors were idle, waited, or were someone else's.
fn busy(stat: &str) -> Option<f64> {
    let times = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().take(7);
    let times: Vec<f64> = times.map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _waiting, interrupts, soft] = times[..] else { return None };
    Some((user + nice + system + interrupts + soft) / TICKS)
}

fn memory(status: &str) -> Memory {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.unwrap_or_default() * 1024
    };
    Memory { resident: field("VmRSS"), anonymous: field("RssAnon"), peak: field("VmHWM") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "42 (a) S 1 (b) R 1 42 42 0 -1 4194304 90 0 0 0 250 50 7 8 20 0 4 0 100";
        assert_eq!((seconds(stat), ended(stat)), (Some(3.0), Some(0.15)));
        assert_eq!(seconds("42 (short) R 1"), None);
    }

    #[test]
    fn a_machine_works_when_it_does_not_wait() {
        assert_eq!(busy("cpu  100 200 300 4000 5000 60 40 9000 0 0\ncpu0 1 2 3\n"), Some(7.0));
        assert_eq!(busy("cpu  100 200\n"), None);
        assert!(machine() > 0.0);
    }

    #[test]
    fn a_peak_can_be_forgotten() {
        let me = Process { name: "me".into(), pid: std::process::id() };
        let large = std::hint::black_box(vec![1_u8; 64 << 20]);
        let before = Memory::now(&me).peak;
        drop(large);
        Memory::forget_peak(&me);
        assert!(before >= 64 << 20 && Memory::now(&me).peak < before);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t     512 kB\n";
        assert_eq!(memory(status), Memory { resident: 1 << 20, anonymous: 512 << 10, peak: 2 << 20 });
        assert_eq!(memory("Name:\tkthreadd\n"), Memory::default());
    }

    #[test]
    fn this_process_weighs_something_and_one_that_is_gone_nothing() {
        let me = Process { name: "me".into(), pid: std::process::id() };
        assert!(Memory::now(&me).resident > 0);
        let gone = Process { name: "gone".into(), pid: u32::MAX };
        assert_eq!(Memory::now(&gone), Memory::default());
        assert_eq!(Usage::now(&[gone]).0["gone"], 0.0);
    }

    #[test]
    fn children_are_found_by_the_name_of_their_program() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        kit::eventually!(!command_line(child.id()).is_empty(), "the program has begun");
        let found = children().into_iter().find(|process| process.pid == child.id());
        let arguments = command_line(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.unwrap().name, "sleep");
        assert_eq!(arguments, ["sleep", "600"]);
    }

    #[test]
    fn the_work_of_children_counts_while_they_run_and_after() {
        let work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let before = with_ended(std::process::id());
        let mut child = std::process::Command::new("sh")
            .args(["-c", &format!("{work}; read -r _")])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let alone = child.id();
        kit::eventually!(with_ended(alone) > 0.0, "the child works");
        assert!(with_children(std::process::id()) > 0.0);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(with_ended(std::process::id()) > before);
    }

    #[test]
    fn usage_is_a_difference_by_name() {
        let usage = |seconds| Usage(BTreeMap::from([("etcd".to_owned(), seconds)]));
        assert_eq!(usage(5.0).since(&usage(3.5)), usage(1.5));
        assert_eq!(usage(5.0).since(&Usage::default()), usage(5.0));
        assert_eq!(usage(0.0).since(&usage(3.5)), usage(0.0), "a process that ended");
    }
}
