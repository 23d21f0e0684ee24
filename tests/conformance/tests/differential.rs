//! Runs the table: one test per case and kind, named `area::case::kind`, with the options of every Rust test.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use conformance::cases::AREAS;
use conformance::judge;
use conformance::subject::SUBJECTS;
use libtest_mimic::{Arguments, Failed, Trial};

/// Cases mostly wait: for streams to end, for timeouts to pass.
const THREADS: usize = 8;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let verdict = libtest_mimic::run(&arguments, trials());
    let whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    if whole && !verdict.has_failed() {
        let stale = Trial::test("differences::every_meant_difference_occurs", every_meant_difference_occurs);
        return libtest_mimic::run(&arguments, vec![stale]).exit_code();
    }
    verdict.exit_code()
}

fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    // Without it the transcripts are missing, nothing else.
    let _ = fs::create_dir_all(&folder);
    let mut trials = Vec::new();
    for (area, cases) in AREAS {
        for case in *cases {
            for subject in SUBJECTS.iter().filter(|subject| case.suits(area, subject)) {
                let (name, folder) = (format!("{area}::{}", case.name), folder.clone());
                trials.push(Trial::test(format!("{name}::{}", subject.plural), move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(judge::judge(&name, case, subject, &folder)).map_err(Failed::from)
                }));
            }
        }
    }
    trials
}

fn every_meant_difference_occurs() -> Result<(), Failed> {
    let stale = judge::stale();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("these no longer occur, so take them out of differences.toml:\n{}", stale.join("\n")).into())
}
