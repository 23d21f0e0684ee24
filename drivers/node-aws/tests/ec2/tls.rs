//! TLS, with the CAs of the system: EC2 is spoken to by nothing else.

use kit::{Authority, Scratch};
use proto::node::{Error, NodePower};
use serde_json::json;

use crate::support::{KEY, SECRET, Site, ec2_with, worker};

#[tokio::test]
async fn only_an_ec2_that_a_ca_vouches_for_is_asked() {
    let (authority, scratch) = (Authority::new("Amazon").unwrap(), Scratch::new("ec2-tls").unwrap());
    let ec2 = ec2_with(Some(&authority.server(&["127.0.0.1"]).unwrap()));
    ec2.tell("key", json!({"id": KEY, "secret": SECRET})).unwrap();
    let ca = scratch.write("ca.crt", authority.cert()).unwrap().display().to_string();
    let url = format!("https://127.0.0.1:{}", ec2.port());
    let credentials = [("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let site = Site::at(&url, ec2, &[], &[&credentials[..], &[("SSL_CERT_FILE", &*ca)]].concat());
    assert!(site.power.describe(&worker()).await.is_ok());
    let site = Site::at(&url, site.ec2, &[], &credentials);
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Unreachable(_))), "{heard:?}");
}
