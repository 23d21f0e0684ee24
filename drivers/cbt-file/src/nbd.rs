//! Network block devices: how qcow2 images are read, by the program that knows them best.
//!
//! `qemu-nbd` serves an image on a socket of ours; we ask what of it is allocated or dirty, and read. It parses what may
//! be a hostile image in a process of its own, which holds no more than that image.

pub(crate) mod client;
mod export;
pub(crate) mod server;
mod wire;

pub(crate) use export::{Export, Statuses};
