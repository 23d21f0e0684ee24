//! Label and field selectors, and labels they are asked about.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use machinery::selector::{FieldSelector, LabelSelector};

fuzz_target!(|data: &[u8]| {
    let selector = fuzz::text(data);
    if let Ok(labels) = LabelSelector::parse(selector) {
        let shown = labels.to_string();
        let again = LabelSelector::parse(&shown).map(|again| again.to_string());
        assert_eq!(again.as_ref(), Ok(&shown), "what is shown can be asked for");
        let some: BTreeMap<String, String> =
            [("a", "1"), ("tier", "web"), ("n", "10")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(labels.matches(&some), LabelSelector::parse(&shown).is_ok_and(|again| again.matches(&some)));
    }
    if let Ok(fields) = FieldSelector::parse(selector) {
        let shown = fields.to_string();
        assert_eq!(
            FieldSelector::parse(&shown).map(sorted),
            Ok(sorted(fields.clone())),
            "what is shown can be asked for"
        );
        fields.matches(&|field| (field == "metadata.name").then_some("a"));
        let _ = fields.check(|field| field == "metadata.name");
        fields.exact("metadata.name");
    }
});

fn sorted(fields: FieldSelector) -> Vec<String> {
    let mut shown: Vec<String> = fields.requirements.iter().map(ToString::to_string).collect();
    shown.sort();
    shown
}
