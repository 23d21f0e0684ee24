//! A list larger than what the server would want to hold.

use api_testing::Server;
use futures::StreamExt as _;
use http::StatusCode;
use serde_json::{Value, json};

use super::{WIDGETS, widget};

const OBJECTS: usize = 40;
const EACH: usize = 200 * 1024;

#[tokio::test]
async fn a_large_list_is_written_as_it_is_read() {
    let server = Server::new().await;
    for index in 0..OBJECTS {
        let mut object = widget(&format!("w{index:02}"), 1);
        object["spec"]["extra"] = json!({ "text": "x".repeat(EACH) });
        assert_eq!(server.post(WIDGETS, &object).await.status, StatusCode::CREATED);
    }
    let mut body = server.answer("GET", WIDGETS, "", String::new()).await.into_body().into_data_stream();
    let (mut whole, mut largest) = (Vec::new(), 0);
    while let Some(part) = body.next().await {
        let part = part.expect("a part of the list");
        largest = largest.max(part.len());
        whole.extend_from_slice(&part);
    }
    assert!(whole.len() > OBJECTS * EACH);
    assert!(largest < whole.len() / 4, "{largest} of {} bytes were held at once", whole.len());
    let list: Value = serde_json::from_slice(&whole).expect("the parts are one document");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(OBJECTS));
}
