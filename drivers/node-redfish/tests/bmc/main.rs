//! The driver's binary against sushy-emulator: as it is, and behind a proxy that can fail.
#![expect(clippy::unwrap_used, reason = "tests")]

mod emulator;
mod offer;
mod suite;
mod support;
