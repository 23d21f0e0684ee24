//! Changed blocks of snapshots that are files on this machine: the driver that needs nothing installed.
//!
//! A snapshot is an image in a folder ([`Config::cbt_dir`]) or is registered by hand ([`register()`]). What changed between
//! two is known from the cheapest witness there is, and else by comparing them:
//!
//! | source | allocated | delta | data |
//! |---|---|---|---|
//! | raw image | `SEEK_DATA` | shared extents of reflinked files (FIEMAP), else compared | yes |
//! | qcow2 image | NBD `base:allocation` | a dirty bitmap, the backing chain, else compared | yes |
//! | thin-pool metadata | `thin_dump` | `thin_delta` | no |
//! | file in a btrfs subvolume | `SEEK_DATA` | `btrfs send --no-data`, else as a raw image | yes |
//!
//! The one rule to know: a range too many is allowed, a range too few is not. Where a witness is in doubt, the data is
//! compared; where there is no data, there is no delta.
//!
//! All work is done by blocking threads, one message at a time and only when somebody asks for it.

mod cancel;
mod compare;
mod config;
mod driver;
mod fault;
mod file;
mod image;
mod listing;
mod map;
mod nbd;
mod patient;
mod ranges;
mod read;
mod registry;
mod source;
mod stream;
mod token;
mod tool;

pub use config::Config;
pub use driver::{DRIVER, Driver};
pub use listing::Listed;
pub use registry::{
    manifest::{Registered, list, register, remove},
    spec::Spec,
};
