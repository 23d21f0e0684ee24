//! One node: asked for, watched where that is wanted, and told.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    Interrupt,
    api::Api,
    cli::{Cli, DryRun},
    exit::{self, Ambiguous, Exit},
    follow::{self, End},
    options, plan, printed,
    progress::Progress,
    restart,
};

/// No answer comes later: the server's own limit is a minute.
const ASKING: Duration = Duration::from_secs(90);

/// Restarts a node, or plans it.
pub(crate) async fn restart(
    cli: &Cli,
    api: &Api,
    node: &str,
    waits: bool,
    interrupt: &mut Interrupt<'_>,
) -> anyhow::Result<Exit> {
    let options = options::of(cli);
    let asked = timeout(ASKING, api.restart(node, options.as_ref(), cli.dry_run == DryRun::Server));
    let asked = tokio::select! {
        biased;
        asked = asked => asked.unwrap_or_else(|_| Err(anyhow!("there is no answer"))),
        _ = &mut *interrupt => {
            eprintln!("interrupted: the restart of node/{node} may have been accepted all the same; {}", look(node));
            return Ok(Exit::Interrupted);
        }
    };
    let (existing, mut now) = match asked {
        Ok(asked) => asked,
        Err(error) if cli.dry_run == DryRun::None && exit::ambiguous(&error) => {
            let error = error.context(format!("asking for a restart of node/{node}"));
            return Err(anyhow!("{}; {}", plugin::shown(&error), look(node)).context(Ambiguous));
        }
        Err(error) => return Err(error),
    };
    if cli.dry_run == DryRun::Server {
        tell(cli, &now, &plan::lines(node, &now).join("\n"));
        return Ok(if plan::passes(&now) { Exit::Done } else { Exit::Refused });
    }
    let name = restart::name(&now).to_owned();
    let accepted = if existing { "is being restarted already as" } else { "restart accepted as" };
    if !waits {
        tell(cli, &now, &format!("node/{node} {accepted} noderestart/{name}"));
        return Ok(Exit::Done);
    }
    let mut progress = Progress::new(node);
    if existing {
        progress.say(&format!("{accepted} noderestart/{name}"));
    }
    let watched = watch(cli, api, &mut now, &mut progress, interrupt).await;
    drop(progress);
    let watched = watched.with_context(|| format!("node/{node}: noderestart/{name} goes on, but cannot be watched"));
    Ok(match watched.map_err(|error| anyhow!(plugin::shown(&error)).context(Ambiguous))? {
        Watched::End(End::Ended(end)) => ended(cli, node, &end),
        Watched::End(End::Gone) => {
            eprintln!("error: node/{node}: noderestart/{name} was cancelled");
            Exit::Failed
        }
        Watched::TimedOut => {
            eprintln!("error: node/{node}: --timeout has passed; {}", goes_on(&name));
            tell(cli, &now, "");
            Exit::TimedOut
        }
        Watched::Interrupted => {
            eprintln!("stopped watching node/{node}: {}", goes_on(&name));
            Exit::Interrupted
        }
    })
}

/// Why it is watched no more.
enum Watched {
    End(End),
    TimedOut,
    Interrupted,
}

async fn watch(
    cli: &Cli,
    api: &Api,
    now: &mut Value,
    progress: &mut Progress,
    interrupt: &mut Interrupt<'_>,
) -> anyhow::Result<Watched> {
    let ends = async {
        let end = follow::to_the_end(api, now, progress);
        match cli.timeout.is_zero() {
            true => Ok(Watched::End(end.await?)),
            false => match timeout(cli.timeout, end).await {
                Ok(end) => Ok(Watched::End(end?)),
                Err(_) => Ok(Watched::TimedOut),
            },
        }
    };
    tokio::select! {
        biased;
        _ = &mut *interrupt => Ok(Watched::Interrupted),
        ended = ends => ended,
    }
}

fn ended(cli: &Cli, node: &str, end: &Value) -> Exit {
    let exit = restart::exit(end).unwrap_or(Exit::Unknown);
    if exit != Exit::Done {
        let line = plugin::plain(&restart::line(end));
        eprintln!("error: node/{node}: noderestart/{} ended: {line}", restart::name(end));
        restart::blocking(end).iter().for_each(|pod| eprintln!("  {}", plugin::plain(pod)));
    }
    tell(cli, end, &if exit == Exit::Done { format!("node/{node} restarted") } else { String::new() });
    exit
}

/// Prints the object where that is wanted, and otherwise the sentence.
fn tell(cli: &Cli, object: &Value, sentence: &str) {
    match cli.output {
        Some(output) => print!("{}", printed::of(output, object)),
        None if sentence.is_empty() => {}
        None => println!("{}", plugin::plain(sentence)),
    }
}

fn goes_on(name: &str) -> String {
    format!(
        "the restart goes on\n  watch it:  kubectl get noderestart {name} -w\n  cancel it: kubectl delete noderestart {name}"
    )
}

fn look(node: &str) -> String {
    format!("look with: kubectl get noderestarts --field-selector spec.nodeName={node}")
}
