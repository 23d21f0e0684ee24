//! A whole request to a whole server: a line with method and path, headers, an empty line, a body.
#![no_main]

use std::cell::RefCell;

use api_testing::Server;
use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// Requests until there is a new server, so that what they leave behind does not add up.
const REQUESTS: usize = 500;

struct World {
    runtime: Runtime,
    server: Option<(Server, usize)>,
}

thread_local! {
    // Its clock stands still and jumps when everybody waits: a watch of an hour is over at once.
    static WORLD: RefCell<World> = RefCell::new(World {
        runtime: Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime"),
        server: None,
    });
}

fn read(data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&first[..space]).ok()?;
    let uri = Uri::try_from(&first[space + 1..]).ok()?;
    let mut request = Request::builder().method(method).uri(uri);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (HeaderName::from_bytes(&line[..colon]).ok()?, line[colon + 1..].trim_ascii());
        request = request.header(name, HeaderValue::from_bytes(value).ok()?);
    }
    request.body(Body::from(body.to_vec())).ok()
}

fuzz_target!(|data: &[u8]| {
    let Some(request) = read(data) else { return };
    WORLD.with_borrow_mut(|World { runtime, server }| {
        let status = runtime.block_on(async {
            let (serving, asked) = match server.take() {
                Some((serving, asked)) if asked < REQUESTS => (serving, asked),
                _ => (Server::new().await, 0),
            };
            let answer = serving.request(request).await;
            *server = Some((serving, asked + 1));
            answer.status
        });
        assert!(status != 500, "a request made the server fail");
    });
});
