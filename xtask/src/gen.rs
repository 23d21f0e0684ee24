//! Generates what is checked in: the Rust of the protobuf seams, by protox, so that nobody needs `protoc`.
//!
//! To add a seam: its `.proto` under `proto/proto/` and its path in [`PROTOS`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::root;

const PROTOS: &[&str] = &[
    "csi/v1/csi.proto",
    "outrigger/node/v1/node.proto",
    "outrigger/restart/v1/restart.proto",
    "outrigger/cbt/v1/cbt.proto",
    "outrigger/store/v1/store.proto",
    "snapshotmetadata/snapshotmetadata.proto",
];

/// Messages that are forwarded and not decoded, and what stands for them.
const UNREAD: &[&str] = &[
    ".csi.v1.GetMetadataAllocatedResponse",
    ".csi.v1.GetMetadataDeltaResponse",
    ".outrigger.cbt.v1.BlocksResponse",
    ".snapshotmetadata.GetMetadataAllocatedResponse",
    ".snapshotmetadata.GetMetadataDeltaResponse",
];
const ENCODED: &str = "crate::cbt::Encoded";

/// Messages with secrets or tokens, which are never shown.
const SECRET: &[&str] = &[
    ".csi.v1.GetMetadataAllocatedRequest",
    ".csi.v1.GetMetadataDeltaRequest",
    ".outrigger.cbt.v1.BlocksRequest",
    ".outrigger.cbt.v1.ReadBlocksRequest",
    ".snapshotmetadata.GetMetadataAllocatedRequest",
    ".snapshotmetadata.GetMetadataDeltaRequest",
];

/// Where the generated code is checked in.
pub(crate) fn checked_in() -> PathBuf {
    root().join("proto/src/gen")
}

/// Writes the generated code of `proto/proto/` into a folder.
pub(crate) fn generate(folder: &Path) -> Result<()> {
    let proto = root().join("proto");
    let descriptors = protox::compile(PROTOS, [proto.join("proto")]).context("compiling proto/proto")?;
    let config = tonic_prost_build::configure();
    UNREAD
        .iter()
        .fold(config, |config, message| config.extern_path(*message, ENCODED))
        .out_dir(folder)
        .bytes(".")
        .btree_map(".")
        .skip_debug(SECRET)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)
        .context("generating the Rust of proto/proto")
}
