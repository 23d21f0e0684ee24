//! Tokens as users have them: made with kubectl, kept in Secrets of a real kube-apiserver, and believed by it.
//!
//! The kube-apiserver asks us whose a token is, and is told to remember the answer for a second instead of two minutes.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "tokens/canary.rs"]
mod canary;
#[path = "tokens/life.rs"]
mod life;
#[path = "tokens/outage.rs"]
mod outage;
#[path = "tokens/owners.rs"]
mod owners;
#[path = "tokens/secrets.rs"]
mod secrets;
#[path = "tokens/setting.rs"]
mod setting;
