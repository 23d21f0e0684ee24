//! `eventually!`: the only way a test waits. It polls a condition until it holds, and says what did not come about.

use std::time::Duration;

use tokio::time::Instant;

/// How long `eventually!` waits unless told otherwise. Generous: a loaded machine is slow, and a passing test never waits it out.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The moment at which patience of `limit` ends.
#[must_use]
pub fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit
}

/// Evaluates an expression until it is true (or `Some`/`Ok` when the form `let` is used), else panics with the message.
///
/// ```no_run
/// # async fn example(cluster: &kit::Cluster) {
/// kit::eventually!(cluster.admin().get("/readyz").await.is_ok_and(|r| r.status == 200), "the cluster is ready");
/// # }
/// ```
#[macro_export]
macro_rules! eventually {
    ($condition:expr, $($what:tt)+) => {
        $crate::eventually!(within $crate::PATIENCE, $condition, $($what)+)
    };
    (within $limit:expr, $condition:expr, $($what:tt)+) => {{
        let deadline = $crate::deadline($limit);
        while !$condition {
            assert!($crate::deadline(std::time::Duration::ZERO) < deadline, "in vain: {}", format_args!($($what)+));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }};
}
