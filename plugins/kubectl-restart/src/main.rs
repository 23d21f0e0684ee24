//! `kubectl restart`: restarts nodes, and watches until they are back.
//!
//! One node after another: each is asked for, and where that is wanted watched to its end, before the next. The first that
//! does not end well ends it all, so that what breaks one node does not break them all.
//!
//! ```text
//!   cli ──▶ api ──▶ POST nodes/NAME/restart ──▶ watch noderestarts ──▶ exit
//!                     options                     restart, progress
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to whoever called it")]

mod api;
mod cli;
mod exit;
mod follow;
mod node;
mod options;
mod plan;
mod printed;
mod progress;
mod restart;

use std::{io, pin::Pin, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;

use api::Api;
use cli::Cli;
use exit::Exit;

/// Ctrl-C, from the moment that it is waited for first.
type Interrupt<'a> = Pin<&'a mut (dyn Future<Output = io::Result<()>> + 'a)>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = run(&cli).unwrap_or_else(|error| {
        eprintln!("{}", plugin::shown(&error));
        Exit::of(&error)
    });
    exit.into()
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting")?;
    let exit = runtime.block_on(conduct(cli));
    // What is still being read is of no use any more.
    runtime.shutdown_background();
    exit
}

async fn conduct(cli: &Cli) -> anyhow::Result<Exit> {
    let api = Api::new(cli.connection.connect().await?.client);
    let mut interrupt: Interrupt<'_> = std::pin::pin!(tokio::signal::ctrl_c());
    let nodes = nodes(cli, &api).await?;
    let waits = cli.wait.unwrap_or(nodes.len() > 1);
    for (done, name) in nodes.iter().enumerate() {
        let exit = node::restart(cli, &api, name, waits, &mut interrupt).await;
        let left = &nodes[done + 1..];
        if !left.is_empty() && !matches!(exit, Ok(Exit::Done)) {
            eprintln!("not restarted: {}", left.join(", "));
        }
        match exit? {
            Exit::Done => {}
            exit => return Ok(exit),
        }
    }
    Ok(Exit::Done)
}

/// The nodes that are named, or selected; who selects is told what.
async fn nodes(cli: &Cli, api: &Api) -> anyhow::Result<Vec<String>> {
    let Some(selector) = &cli.selector else { return Ok(cli.names()) };
    let nodes = api.nodes(selector).await?;
    anyhow::ensure!(!nodes.is_empty(), "no node matches -l {selector}");
    eprintln!("-l {selector} selects {}", nodes.join(", "));
    Ok(nodes)
}
