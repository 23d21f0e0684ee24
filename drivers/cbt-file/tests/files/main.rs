//! The driver on real files: each source is made by the tools of its world, asked through the shared suite, and compared
//! with a brute-force comparison and with what those tools say.
#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges are what is expected, and some have one")]

mod btrfs;
mod command;
mod disk;
mod folder;
mod hostile;
mod mount;
mod qcow2;
mod raw;
mod reflink;
mod subject;
mod thin;
mod tokens;
mod tool;
