//! The relay behind a real kube-apiserver, with real tokens, as backup software sees it.

mod admission;
mod audiences;
mod backup;
mod faults;
mod lists;
mod objects;
mod secrets;
mod serving;
