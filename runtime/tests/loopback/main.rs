//! TLS, HTTP and gRPC over real sockets.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bootstrap;
mod client;
mod grpc;
mod handshake;
mod http;
mod reload;
