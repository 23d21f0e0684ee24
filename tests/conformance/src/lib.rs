//! The differential judge. The oracle is the kube-apiserver: a case sends the same requests to a kind as a CRD there and to
//! the same kind served by us, and every answer must be the same: status, headers that matter, body.
//!
//! ```text
//! case ──▶ Cx on the oracle  ──▶ transcript ──▶ normal form ─┐
//!      ╰─▶ Cx on a target    ──▶ transcript ──▶ normal form ─┴▶ compare ──▶ differences.toml ──▶ verdict
//! ```
//! Uids, times, revisions, tokens and the group's name are replaced by names given in order of appearance, so equal names
//! mean equal values. Differences that are meant are in `differences.toml`, each with its reason; one that no longer occurs
//! fails the run, so the list only shrinks.
//!
//! `rows.toml` says which case, or which test elsewhere, shows each behaviour that clients rely on.
//!
//! To add a case: an `async fn` in the file of its area under `cases/`, and its name in that file's list. It must not assert
//! anything about the answers: the oracle does. To add a kind: an entry in [`subject::SUBJECTS`].

pub mod cases;
pub mod compare;
pub mod cx;
pub mod differences;
pub mod hooks;
pub mod judge;
pub mod normal;
pub mod policy;
pub mod rows;
pub mod subject;
pub mod target;
pub mod world;
