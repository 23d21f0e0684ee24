//! The driver's binary against a strict EC2 that can fail, and against moto with signatures and policies verified.
#![expect(clippy::unwrap_used, reason = "tests")]

mod credentials;
mod faults;
mod moto;
mod suite;
mod support;
mod tls;

/// Amazon's own client takes the fake for EC2.
#[test]
fn the_fake_is_ec2_to_boto3() {
    fakes::check("ec2").unwrap();
}
