//! Which events are logged.

use anyhow::Context;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::args::LogArgs;

/// Libraries that say at debug level what nobody asked for. (They would also trace their own export of traces.)
pub(super) const QUIET: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "kube_client",
    "opentelemetry",
    "opentelemetry-otlp",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "rustls",
    "sqlx",
    "tokio_rustls",
    "tonic",
    "tower",
    "tower_http",
];

/// From here on `--debug` is about each step of our own code.
const STEPS: u8 = 6;
/// From here on it is about libraries too.
const LIBRARIES: u8 = 9;

/// The filter that the arguments ask for.
pub(super) fn targets(args: &LogArgs) -> anyhow::Result<Targets> {
    if let Some(filter) = &args.log {
        return filter.parse().with_context(|| format!("reading the log filter {filter:?}"));
    }
    let ours = match args.debug_level {
        STEPS.. => LevelFilter::TRACE,
        level if level > 0 || args.debug => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    };
    let libraries = match args.debug_level {
        LIBRARIES.. => LevelFilter::TRACE,
        _ => LevelFilter::INFO,
    };
    Ok(Targets::new().with_default(ours).with_targets(QUIET.iter().map(|target| (*target, libraries))))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tracing::Level;

    use super::*;

    fn enabled(debug: bool, debug_level: u8, log: Option<&str>) -> Vec<(&'static str, Level)> {
        let targets =
            targets(&LogArgs { debug, debug_level, log: log.map(str::to_owned), ..LogArgs::default() }).unwrap();
        let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN];
        let loudest = |target| levels.into_iter().find(|level| targets.would_enable(target, level));
        ["revlog", "h2::codec"].into_iter().filter_map(|target| Some((target, loudest(target)?))).collect()
    }

    #[test]
    fn levels_follow_the_flags() {
        let cases = [
            (false, 0, None, Level::INFO, Level::INFO),
            (true, 0, None, Level::DEBUG, Level::INFO),
            (false, 1, None, Level::DEBUG, Level::INFO),
            (true, 6, None, Level::TRACE, Level::INFO),
            (true, 9, None, Level::TRACE, Level::TRACE),
            (true, 9, Some("warn,revlog=info"), Level::INFO, Level::WARN),
        ];
        for (debug, level, log, ours, theirs) in cases {
            assert_eq!(
                enabled(debug, level, log),
                [("revlog", ours), ("h2::codec", theirs)],
                "{debug} {level} {log:?}"
            );
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        assert!(targets(&LogArgs { log: Some("a=b=c".to_owned()), ..LogArgs::default() }).is_err());
    }
}
