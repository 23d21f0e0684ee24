//! As whom the binary calls: what every AWS SDK finds.

use ebs_stub::Key;
use kit::Scratch;
use proto::cbt::{Blocks, Error, Query};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    moto::Moto,
    process::{ask, bench, list, spawn},
    support::{BLOCKS, REGION, key},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_says_where_and_as_whom() {
    let (bench, scratch) = (bench().await, Scratch::new("cbt-ebs").unwrap());
    let config = format!("[profile backup]\nregion = {REGION}\nendpoint_url = {}\n", bench.stub.url());
    let credentials = format!("[backup]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key().id, key().secret);
    let write = |name: &str, text: String| scratch.write(name, text).unwrap().display().to_string();
    let (config, credentials) = (write("config", config), write("credentials", credentials));
    let env =
        [("AWS_CONFIG_FILE", &*config), ("AWS_SHARED_CREDENTIALS_FILE", &*credentials), ("AWS_PROFILE", "backup")];
    let (mut process, socket) = spawn(&scratch, &env);
    let messages = list(&scratch, &mut process, &socket).await.unwrap();
    assert_eq!(messages.iter().map(Blocks::len).sum::<usize>(), BLOCKS as usize);
}

/// The way of EKS Pod Identity: a token in a file, an agent on a local address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pods_identity_says_as_whom() {
    let (bench, scratch) = (bench().await, Scratch::new("cbt-ebs").unwrap());
    let own = Key { id: "AKIDPOD".to_owned(), secret: "of the pod".to_owned(), session: Some("session".to_owned()) };
    bench.stub.allow(own.clone());
    let agent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/credentials", agent.local_addr().unwrap());
    let token = scratch.write("token", "eyJ.pod.token").unwrap().display().to_string();
    let env = [
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL", &bench.stub.url()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token),
    ];
    let (mut process, socket) = spawn(&scratch, &env);
    let (asked, messages) = tokio::join!(hand_out(agent, &own), list(&scratch, &mut process, &socket));
    assert!(asked.contains("GET /v1/credentials") && asked.contains("eyJ.pod.token"), "{asked}");
    assert_eq!(messages.unwrap().iter().map(Blocks::len).sum::<usize>(), BLOCKS as usize);
}

/// Answers one request for credentials, and returns it.
async fn hand_out(agent: TcpListener, key: &Key) -> String {
    let (mut stream, _) = agent.accept().await.unwrap();
    let mut asked = vec![0; 4096];
    let mut length = 0;
    while !asked[..length].ends_with(b"\r\n\r\n") {
        length += stream.read(&mut asked[length..]).await.unwrap();
    }
    let credentials = json!({
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "Token": key.session,
        "Expiration": "2099-01-01T00:00:00Z",
    });
    let body = credentials.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    String::from_utf8_lossy(&asked[..length]).into_owned()
}

/// The way of IRSA: a token in a file, which STS (moto's) changes for credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_identity_says_as_whom() {
    let (moto, scratch) = (Moto::start(), Scratch::new("cbt-ebs").unwrap());
    let token = scratch.write("token", "eyJ.web.token").unwrap().display().to_string();
    let env = [
        ("AWS_REGION", REGION),
        ("AWS_ENDPOINT_URL", &*moto.url),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/outrigger"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token),
    ];
    let (mut process, socket) = spawn(&scratch, &env);
    let query = Query::delta(moto.base.clone(), moto.target.clone());
    let messages = ask(&scratch, &mut process, &socket, query).await.unwrap();
    assert_eq!(messages.iter().map(Blocks::len).sum::<usize>(), 2);
    assert!(moto.process.output().contains("POST / "), "STS was not asked: {}", moto.process.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_credentials_it_serves_and_says_what_is_missing() {
    let (bench, scratch) = (bench().await, Scratch::new("cbt-ebs").unwrap());
    let env = [("OUTRIGGER_EBS_REGION", REGION), ("AWS_ENDPOINT_URL", &bench.stub.url())];
    let (mut process, socket) = spawn(&scratch, &env);
    let refused = list(&scratch, &mut process, &socket).await.unwrap_err();
    assert!(matches!(&refused, Error::Forbidden(text) if text.contains("AWS_ACCESS_KEY_ID")), "{refused:?}");
}
