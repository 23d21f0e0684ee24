//! The options of requests: the pairs of a query, one a line, and the body of a deletion.
#![no_main]

use fuzz::{parts, text, value};
use libfuzzer_sys::fuzz_target;
use machinery::options::{DeleteOptions, GetOptions, ListOptions, WriteOptions};

fuzz_target!(|data: &[u8]| {
    let [query, body] = parts(data);
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        (name.to_owned(), value.to_owned())
    };
    let query: Vec<(String, String)> = text(query).lines().map(pair).collect();
    let selectable = ["spec.color".to_owned()];
    let _ = ListOptions::parse(&query, &selectable);
    let _ = ListOptions::parse_watch(&query, &selectable);
    let _ = GetOptions::parse(&query);
    let _ = (WriteOptions::create(&query), WriteOptions::update(&query));
    let _ = (WriteOptions::patch(&query), WriteOptions::apply(&query));
    let _ = DeleteOptions::parse(&query, None);
    if let Some(body) = value(body) {
        let _ = DeleteOptions::parse(&query, Some(&body));
    }
});
