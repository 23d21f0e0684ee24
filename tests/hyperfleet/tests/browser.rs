//! A person who tries the API in Chromium, with no network but this machine's own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use hyperfleet_tests::cx::Cx;
use hyperfleet_tests::http;
use hyperfleet_tests::server::{Database, Server};
use kit::{Process, Scratch, block_on, eventually};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// A page in a running Chromium.
struct Page {
    socket: WebSocket<TcpStream>,
    calls: u64,
    _chromium: Process,
    _profile: Scratch,
}

impl Page {
    /// Opens a URL.
    fn open(url: &str) -> Self {
        let profile = Scratch::new("chromium").unwrap();
        let mut flags: Vec<String> = [
            "--headless=new",
            "--no-sandbox",
            "--no-first-run",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-port=0",
            // Whatever it wants from another host is not to be had.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--window-size=1200,2000",
        ]
        .map(str::to_owned)
        .to_vec();
        flags.extend([format!("--user-data-dir={}", profile.file("profile").display()), url.to_owned()]);
        let mut chromium =
            Process::spawn("chromium", Path::new("chromium"), &flags, &profile.file("chromium.log")).unwrap();
        let port = profile.file("profile/DevToolsActivePort");
        let read = || std::fs::read_to_string(&port).ok().and_then(|text| text.lines().next()?.parse::<u16>().ok());
        eventually!(chromium.ensure_running().is_err() || read().is_some(), "Chromium is ready");
        chromium.ensure_running().unwrap();
        let authority = format!("127.0.0.1:{}", read().unwrap());
        eventually!(page_of(&authority, url).is_some(), "the page is open");
        let place = page_of(&authority, url).unwrap();
        let stream = TcpStream::connect(&authority).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let (socket, _) = tungstenite::client(place, stream).unwrap();
        Self { socket, calls: 0, _chromium: chromium, _profile: profile }
    }

    /// The value of an expression in the page.
    fn evaluate(&mut self, expression: &str) -> Value {
        self.calls += 1;
        let params = json!({"expression": expression, "returnByValue": true});
        let call = json!({"id": self.calls, "method": "Runtime.evaluate", "params": params});
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let message: Value = serde_json::from_str(text.as_str()).unwrap();
            if message["id"] == json!(self.calls) {
                assert!(message["result"]["exceptionDetails"].is_null(), "{expression}: {message}");
                return message["result"]["result"]["value"].clone();
            }
        }
    }

    /// Clicks on the first element that a selector finds, once there is one.
    fn click(&mut self, selector: &str) {
        let click = format!("(() => {{ const e = document.querySelector({selector:?}); e?.click(); return !!e }})()");
        eventually!(self.evaluate(&click) == json!(true), "there is {selector}");
    }

    /// The text of the first element that a selector finds, if there is one.
    fn text(&mut self, selector: &str) -> String {
        let text = self.evaluate(&format!("document.querySelector({selector:?})?.innerText ?? ''"));
        text.as_str().unwrap_or_default().to_owned()
    }
}

/// The web socket of the page that shows a URL.
fn page_of(authority: &str, url: &str) -> Option<String> {
    let list = block_on(async { http::send(authority, "GET", "/json/list", &[], "").await }).ok()?.json().ok()?;
    let pages = list.as_array().into_iter().flatten();
    let mut shown = pages.filter(|page| page["url"].as_str().is_some_and(|shown| shown.starts_with(url)));
    shown.next()?["webSocketDebuggerUrl"].as_str().map(str::to_owned)
}

#[test]
#[ignore = "needs Chromium"]
fn the_ui_sends_a_request_and_shows_its_answer() {
    let server = Server::start(Database::Sqlite, &[]).unwrap();
    let cx = Cx::new(server.target()).unwrap();
    block_on(async { cx.cluster("seen").await }).unwrap();
    let mut page = Page::open(&format!("http://{}/openapi-ui", server.target().authority));
    let operation = r#".opblock-get:has([data-path$="/clusters"])"#;
    page.click(&format!("{operation} .opblock-summary-control"));
    page.click(&format!("{operation} .try-out__btn"));
    page.click(&format!("{operation} .execute"));
    let answer = format!("{operation} .live-responses-table tr.response");
    eventually!(
        page.text(&format!("{answer} .response-col_status")).contains("200"),
        "the answer is shown:\n{}",
        page.text("body")
    );
    let body = page.text(&format!("{answer} .response-col_description"));
    assert!(body.contains(&cx.name("seen")), "{body}");
}
