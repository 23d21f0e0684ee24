//! The seams between Outrigger's processes.
//!
//! A seam is one folder: a `.proto`, a trait with its written contract, a client that *is* the trait, a server that
//! serves *any* implementation of it, and the suite that every implementation passes. Nothing else crosses processes.
//!
//! | seam | trait | says |
//! |---|---|---|
//! | [`store`] | [`store::Store`] | objects: get, list, watch, write |

pub mod store;
