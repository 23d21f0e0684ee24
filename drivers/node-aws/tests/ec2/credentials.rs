//! Where keys come from, and what is said when there are none.

use fakes::Fake;
use kit::Scratch;
use proto::node::{Error, NodePower, State};
use serde_json::json;

use crate::support::{SECRET, Site, ec2, worker};

const SESSION_KEY: &str = "ASIACANARYKEY0000002";
const SESSION: &str = "canary-session-token";
const POD_TOKEN: &str = "canary-pod-token";

/// What hands out a session's keys, and an EC2 that believes them.
fn keys() -> (Fake, Fake) {
    let args = ["--id", SESSION_KEY, "--secret", SECRET, "--token", SESSION, "--pod-token", POD_TOKEN];
    let ec2 = ec2();
    ec2.tell("key", json!({"id": SESSION_KEY, "secret": SECRET, "token": SESSION})).unwrap();
    (Fake::start("keys", None, &args).unwrap(), ec2)
}

/// With all that the libraries log, too.
const LOUD: &[&str] = &["--debug-level", "9"];

async fn works(site: &Site) {
    assert_eq!(site.power.describe(&worker()).await.unwrap().state, State::Running);
    let output = site.driver.output();
    assert!(!output.is_empty() && !output.contains("canary"), "{output}");
}

#[tokio::test]
async fn pod_identity() {
    let (keys, ec2) = keys();
    let scratch = Scratch::new("pod-identity").unwrap();
    let token = scratch.write("token", POD_TOKEN).unwrap().display().to_string();
    let url = format!("http://127.0.0.1:{}/v1/credentials", keys.port());
    let env = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &*token)];
    works(&Site::with(ec2, LOUD, &env)).await;
}

#[tokio::test]
async fn instance_metadata() {
    let (keys, ec2) = keys();
    let url = format!("http://127.0.0.1:{}", keys.port());
    let env = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url),
        ("AWS_REGION", "eu-west-1"),
    ];
    works(&Site::with(ec2, LOUD, &env)).await;
}

#[tokio::test]
async fn a_profile() {
    let (_, ec2) = keys();
    let scratch = Scratch::new("profile").unwrap();
    let text = format!(
        "[restarter]\naws_access_key_id = {SESSION_KEY}\naws_secret_access_key = {SECRET}\naws_session_token = {SESSION}\n"
    );
    let file = scratch.write("credentials", text).unwrap().display().to_string();
    let env = [("AWS_SHARED_CREDENTIALS_FILE", &*file), ("AWS_PROFILE", "restarter")];
    works(&Site::with(ec2, LOUD, &env)).await;
}

#[tokio::test]
async fn without_keys_nothing_is_allowed() {
    let site = Site::with(ec2(), &[], &[]);
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("credentials")), "{heard:?}");
}

/// It may be there again in a moment: who asks tries again.
#[tokio::test]
async fn an_sts_that_is_not_there_is_unreachable() {
    let scratch = Scratch::new("irsa").unwrap();
    let token = scratch.write("token", "a token").unwrap().display().to_string();
    let nobody = format!("http://127.0.0.1:{}", kit::free_ports::<1>().unwrap()[0]);
    let env = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/restarter"),
        ("AWS_ENDPOINT_URL_STS", &*nobody),
        ("AWS_REGION", "eu-west-1"),
    ];
    let heard = Site::with(ec2(), &[], &env).power.describe(&worker()).await;
    assert!(matches!(heard, Err(Error::Unreachable(_))), "{heard:?}");
}
