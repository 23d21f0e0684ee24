//! The driver's binary with a program and with a webhook.
#![expect(clippy::unwrap_used, reason = "tests")]

mod program;
mod support;
mod webhook;
