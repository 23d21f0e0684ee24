//! The verdict on one case of one kind. The transcripts are left in a folder, for whoever wants to read what was asked and
//! what the oracle said.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use futures::future::join_all;

use crate::cases::Case;
use crate::compare::{self, Difference};
use crate::differences::Differences;
use crate::normal::{Normal, Normaliser};
use crate::subject::Subject;
use crate::target::{TARGETS, Target};
use crate::world::World;

/// The differences that are meant, as checked in.
pub const MEANT: &str = include_str!("../differences.toml");

/// A long list of differences hides the first, which is usually the cause.
const SHOWN: usize = 12;

static DIFFERENCES: LazyLock<Differences> =
    LazyLock::new(|| Differences::parse(MEANT).expect("a test of this crate reads the same text"));

/// Runs a case on the oracle and on every target; `Err` is the report of what differs and should not.
pub async fn judge(name: &str, case: &Case, subject: &'static Subject, folder: &Path) -> Result<(), String> {
    let targets: Vec<Target> = TARGETS.iter().copied().filter(|target| target.suits(subject)).collect();
    let all: Vec<Target> = [Target::Oracle].into_iter().chain(targets).collect();
    let mut runs = run_all(World::shared(), case, subject, &all).await.into_iter().zip(all);
    let oracle = runs.next().context("the oracle is the first").and_then(|(run, _)| run);
    let oracle = oracle.map_err(|error| format!("on the oracle: {error:#}"))?;
    let file =
        |target: Target| folder.join(format!("{}.{}.{}", name.replace("::", "."), subject.plural, target.name()));
    let _ = std::fs::write(file(Target::Oracle), show(&oracle));
    let mut report = Vec::new();
    for (run, target) in runs {
        match run {
            Ok(ours) => {
                let _ = std::fs::write(file(target), show(&ours));
                report.extend(unexcused(name, target, compare::transcripts(&oracle, &ours)));
            }
            Err(error) => report.push(format!("{} failed: {error:#}", target.name())),
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report.join("\n")) }
}

/// All at once, as cases mostly wait; one after the other where they would meet in the same collection.
async fn run_all(
    world: &World,
    case: &Case,
    subject: &'static Subject,
    targets: &[Target],
) -> Vec<Result<Vec<Normal>>> {
    if subject.namespaced {
        return join_all(targets.iter().map(|&target| run(world, case, subject, target))).await;
    }
    let _turn = world.turn(subject).await;
    let mut runs = Vec::new();
    for &target in targets {
        runs.push(run(world, case, subject, target).await);
    }
    runs
}

/// The entries of `differences.toml` that did not occur in this run.
#[must_use]
pub fn stale() -> Vec<String> {
    let describe =
        |case: &str, step: Option<&str>, at: &[String]| format!("{case}, {}, {at:?}", step.unwrap_or("every step"));
    DIFFERENCES.unused().iter().map(|meant| describe(&meant.case, meant.step.as_deref(), &meant.at)).collect()
}

async fn run(world: &World, case: &Case, subject: &'static Subject, target: Target) -> Result<Vec<Normal>> {
    let mut cx = world.cx(subject, target).await.context("preparing the target")?;
    let outcome = (case.run)(&mut cx).await;
    let mut normaliser = Normaliser::new(&cx.group, &cx.namespace);
    let steps = cx.into_steps();
    // On the oracle an error is the case's own fault. Elsewhere it follows from an answer that differs, which is reported.
    if target == Target::Oracle || steps.is_empty() {
        outcome?;
    }
    Ok(normaliser.transcript(&steps))
}

fn show(steps: &[Normal]) -> String {
    steps.iter().map(|step| format!("### {}\n{:#}\n\n", step.label, step.answer)).collect()
}

fn unexcused(case: &str, target: Target, found: Vec<Difference>) -> Vec<String> {
    let bad: Vec<Difference> = found.into_iter().filter(|found| !DIFFERENCES.excuse(case, target, found)).collect();
    let mut lines: Vec<String> = bad.iter().take(SHOWN).map(Difference::to_string).collect();
    if bad.len() > SHOWN {
        lines.push(format!("  … and {} more", bad.len() - SHOWN));
    }
    if !bad.is_empty() {
        lines.insert(0, format!("{} differs from the oracle:", target.name()));
    }
    lines
}
