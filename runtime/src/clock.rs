//! The wall clock. Logic takes it as a parameter; this is where a process gets the real one.

use std::{sync::Arc, time::SystemTime};

/// Tells the time of day.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The clock of the machine.
#[expect(clippy::disallowed_methods, reason = "this is where the real clock enters")]
pub fn system() -> Clock {
    Arc::new(SystemTime::now)
}
