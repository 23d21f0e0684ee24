//! From flags to RestartOptions: what is not said is not sent, so that the server's defaults hold.

use serde_json::{Map, Value, json};

use crate::cli::{Cli, DrainArgs, Mode};

/// The body of the request; `None` when nothing was said.
pub(crate) fn of(cli: &Cli) -> Option<Value> {
    let mut options = Map::new();
    let mut set = |field: &str, value: Option<Value>| options.extend(value.map(|value| (field.to_owned(), value)));
    set("mode", cli.mode.map(|mode| mode.as_str().into()));
    set("drain", cli.drain.enabled.then(|| drain(&cli.drain)));
    set("reason", cli.reason.clone().map(Value::from));
    set("timeout", cli.restart_timeout.clone().map(Value::from));
    set("idempotencyKey", cli.idempotency_key.clone().map(Value::from));
    (!options.is_empty()).then_some(Value::Object(options))
}

fn drain(args: &DrainArgs) -> Value {
    let mut drain = json!({ "enabled": true });
    if let Ok(seconds) = u64::try_from(args.grace_period) {
        drain["gracePeriod"] = format!("{seconds}s").into();
    }
    if let Some(ignore) = args.ignore_daemonsets {
        drain["ignoreDaemonSets"] = ignore.into();
    }
    if let Some(timeout) = &args.drain_timeout {
        drain["timeout"] = timeout.clone().into();
    }
    let flags = [
        ("force", args.force),
        ("deleteEmptyDir", args.delete_emptydir_data),
        ("disableEviction", args.disable_eviction),
    ];
    for (field, _) in flags.into_iter().filter(|(_, given)| *given) {
        drain[field] = true.into();
    }
    drain
}

// === impl Mode ===

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "Soft",
            Self::Hard => "Hard",
            Self::SoftThenHard => "SoftThenHard",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn options(line: &str) -> Option<Value> {
        of(&Cli::parse_from(format!("restart a {line}").split_whitespace()))
    }

    #[test]
    fn what_is_not_said_is_not_sent() {
        assert_eq!(options(""), None);
        assert_eq!(options("--wait --timeout 5m -o yaml --dry-run"), None, "these are not the restart's");
        assert_eq!(options("--mode soft"), Some(json!({ "mode": "Soft" })));
        assert_eq!(options("--drain"), Some(json!({ "drain": { "enabled": true } })));
    }

    #[test]
    fn all_that_is_said_is_sent() {
        let line = "--mode soft-then-hard --reason kernel --restart-timeout 1h --idempotency-key k --drain --grace-period 0 \
            --force --ignore-daemonsets=false --delete-emptydir-data --disable-eviction --drain-timeout 10m";
        let expected = json!({
            "mode": "SoftThenHard",
            "reason": "kernel",
            "timeout": "1h",
            "idempotencyKey": "k",
            "drain": {
                "enabled": true,
                "gracePeriod": "0s",
                "ignoreDaemonSets": false,
                "timeout": "10m",
                "force": true,
                "deleteEmptyDir": true,
                "disableEviction": true,
            },
        });
        assert_eq!(options(line), Some(expected));
    }
}
