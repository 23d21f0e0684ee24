//! Where keys come from, and what is said when there are none.

use fakes::Fake;
use proto::node::{Error, NodePower, State};
use serde_json::json;

use crate::support::{Cloud, KEY, SECRET, Site, worker};

const ROLE: &str = "qcs::cam::uin/1:roleName/restarter";

async fn works(site: &Site) {
    assert_eq!(site.power.describe(&worker()).await.unwrap().state, State::Running);
}

fn taken(fake: &Fake) -> u64 {
    fake.tell("tokens", json!({})).unwrap().as_u64().unwrap()
}

#[tokio::test]
async fn a_service_account_of_tke_takes_its_role_once() {
    let cloud = Cloud::new();
    cloud.fake.tell("role", json!({"arn": ROLE, "provider": "cls-1", "token": "canary-account"})).unwrap();
    let token = cloud.scratch.write("token", "canary-account\n").unwrap().display().to_string();
    let env = [
        ("TKE_REGION", "ap-beijing"),
        ("TKE_PROVIDER_ID", "cls-1"),
        ("TKE_WEB_IDENTITY_TOKEN_FILE", &*token),
        ("TKE_ROLE_ARN", ROLE),
    ];
    let site = Site::with(cloud, &["--debug-level", "9"], &env);
    works(&site).await;
    works(&site).await;
    assert_eq!(taken(&site.cloud.fake), 1);
    assert!(!site.driver.output().contains("canary"), "{}", site.driver.output());

    let stranger =
        Site::with(site.cloud, &[], &[&env[..3], &[("TKE_ROLE_ARN", "qcs::cam::uin/1:roleName/x")]].concat());
    let heard = stranger.power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("AssumeRoleWithWebIdentity")), "{heard:?}");
    assert!(!format!("{heard:?}").contains("canary"), "{heard:?}");
}

#[tokio::test]
async fn a_folder_is_read_at_each_use() {
    let cloud = Cloud::new();
    cloud.fake.tell("key", json!({"id": KEY, "secret": SECRET})).unwrap();
    cloud.scratch.write("TENCENTCLOUD_SECRET_ID", format!("{KEY}\n")).unwrap();
    cloud.scratch.write("TENCENTCLOUD_SECRET_KEY", "old").unwrap();
    let folder = cloud.scratch.path().display().to_string();
    let site = Site::with(cloud, &["--tencent-credentials-dir", &folder], &[]);
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("SignatureFailure")), "{heard:?}");
    site.cloud.scratch.write("TENCENTCLOUD_SECRET_KEY", SECRET).unwrap();
    works(&site).await;
}

#[tokio::test]
async fn without_keys_nothing_is_allowed() {
    let site = Site::with(Cloud::new(), &[], &[]);
    let heard = site.power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if why.contains("TENCENTCLOUD_SECRET_ID")), "{heard:?}");
}

#[tokio::test]
async fn a_key_that_is_no_header_is_not_repeated() {
    let env = [("TENCENTCLOUD_SECRET_ID", "canary\u{1}"), ("TENCENTCLOUD_SECRET_KEY", SECRET)];
    let heard = Site::with(Cloud::new(), &[], &env).power.describe(&worker()).await;
    assert!(matches!(&heard, Err(Error::Forbidden(why)) if !why.contains("canary")), "{heard:?}");
}
