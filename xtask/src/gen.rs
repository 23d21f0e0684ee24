//! Generates what is checked in: the Rust of the protobuf seams, by protox, so that nobody needs `protoc`.
//!
//! To add a seam: its `.proto` under `proto/proto/` and its path in [`PROTOS`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::root;

const PROTOS: &[&str] = &["outrigger/store/v1/store.proto"];

/// Where the generated code is checked in.
pub(crate) fn checked_in() -> PathBuf {
    root().join("proto/src/gen")
}

/// Writes the generated code of `proto/proto/` into a folder.
pub(crate) fn generate(folder: &Path) -> Result<()> {
    let proto = root().join("proto");
    let descriptors = protox::compile(PROTOS, [proto.join("proto")]).context("compiling proto/proto")?;
    tonic_prost_build::configure()
        .out_dir(folder)
        .bytes(".")
        .btree_map(".")
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)
        .context("generating the Rust of proto/proto")
}
