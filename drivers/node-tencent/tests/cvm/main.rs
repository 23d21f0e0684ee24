//! The driver's binary against a strict Tencent Cloud that can fail.
#![expect(clippy::unwrap_used, reason = "tests")]

mod credentials;
mod restart;
mod suite;
mod support;

/// The official SDK takes the fake for Tencent Cloud.
#[test]
fn the_fake_is_tencent_cloud_to_its_sdk() {
    fakes::check("cvm").unwrap();
}
