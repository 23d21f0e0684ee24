//! The `apiVersion` of objects, exchanged in the text of documents; everything else stays byte for byte as it is.
//!
//! Only an object's own is meant: that of the document, of a list's items, of a Table's rows, of a watch's events. What
//! the managed fields say was so in the version that they name.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// From one `apiVersion` to another.
#[derive(Debug, Clone)]
pub(super) struct Rewrite {
    from: String,
    to: String,
}

/// How deep an answer may hold objects: an event of a Table with an object in each row.
const DEPTH: u8 = 3;

/// Where a document can hold objects.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document<'a> {
    #[serde(borrow, rename = "apiVersion")]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    #[serde(borrow)]
    rows: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
}

/// An operation of a JSON patch.
#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(borrow)]
    path: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

// === impl Rewrite ===

impl Rewrite {
    pub(super) fn new(from: String, to: String) -> Self {
        Self { from, to }
    }

    /// The other way round.
    pub(super) fn back(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }

    /// An answer in JSON: an object, a list, a Table, an event.
    pub(super) fn json(&self, json: Bytes) -> Bytes {
        self.exchange(json, |text| {
            let mut found = Vec::new();
            self.find(text, text, DEPTH, &mut found);
            found
        })
    }

    /// An answer in YAML.
    pub(super) fn yaml(&self, yaml: Bytes) -> Bytes {
        self.exchange(yaml, |text| self.lines(text, &["apiVersion:", "- apiVersion:"]))
    }

    /// What a client sends: an object or a patch of one, in JSON or YAML.
    pub(super) fn body(&self, body: Bytes) -> Bytes {
        self.exchange(body, |text| self.in_body(text))
    }

    /// Whether a client sends an object of the other version.
    pub(super) fn is_other(&self, body: &Bytes) -> bool {
        std::str::from_utf8(body).is_ok_and(|text| !self.back().in_body(text).is_empty())
    }

    fn in_body(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        match text.trim_start().chars().next() {
            Some('{') => self.find(text, text, 0, &mut found),
            Some('[') => {
                for operation in serde_json::from_str::<Vec<Operation<'_>>>(text).unwrap_or_default() {
                    if operation.path.is_some_and(|path| path.get() == r#""/apiVersion""#) {
                        self.own(text, operation.value, &mut found);
                    }
                }
            }
            _ => found = self.lines(text, &["apiVersion:"]),
        }
        found
    }

    /// Finds the versions of objects in `part`, which is part of `whole`.
    fn find(&self, whole: &str, part: &str, depth: u8, found: &mut Vec<Range<usize>>) {
        // A struct can be read from a list too.
        if !part.trim_start().starts_with('{') {
            return;
        }
        let Ok(document) = serde_json::from_str::<Document<'_>>(part) else { return };
        self.own(whole, document.api_version, found);
        if depth == 0 {
            return;
        }
        for list in [document.items, document.rows].into_iter().flatten() {
            for object in serde_json::from_str::<Vec<&RawValue>>(list.get()).unwrap_or_default() {
                self.find(whole, object.get(), depth - 1, found);
            }
        }
        if let Some(object) = document.object {
            self.find(whole, object.get(), depth - 1, found);
        }
    }

    fn own(&self, whole: &str, value: Option<&RawValue>, found: &mut Vec<Range<usize>>) {
        if let Some(value) = value.map(RawValue::get)
            && value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) == Some(&self.from)
        {
            // It was borrowed from there.
            let begin = value.as_ptr().addr() - whole.as_ptr().addr() + 1;
            found.push(begin..begin + self.from.len());
        }
    }

    /// Finds the version in lines that begin with a key. Text of several lines is indented, so that it is none.
    fn lines(&self, text: &str, keys: &[&str]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut begin = 0;
        for line in text.split_inclusive('\n') {
            let value = keys.iter().find_map(|key| line.strip_prefix(key));
            let value = value.map(|value| value.trim_start().trim_start_matches(['"', '\'']));
            if let Some(rest) = value.and_then(|value| value.strip_prefix(&self.from))
                && rest.chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, '"' | '\''))
            {
                let end = begin + line.len() - rest.len();
                found.push(end - self.from.len()..end);
            }
            begin += line.len();
        }
        found
    }

    fn exchange(&self, bytes: Bytes, find: impl FnOnce(&str) -> Vec<Range<usize>>) -> Bytes {
        let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
        let mut found = find(text);
        if found.is_empty() {
            return bytes;
        }
        found.sort_by_key(|range| range.start);
        let mut out = Vec::with_capacity(bytes.len() + found.len() * self.to.len());
        let mut done = 0;
        for Range { start, end } in found {
            out.extend_from_slice(&bytes[done..start]);
            out.extend_from_slice(self.to.as_bytes());
            done = end;
        }
        out.extend_from_slice(&bytes[done..]);
        out.into()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn rewrite() -> Rewrite {
        Rewrite::new("g/v1beta1".to_owned(), "g/v1alpha1".to_owned())
    }

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    const MANAGED: &str = r#""metadata":{"name":"a","managedFields":[{"apiVersion":"g/v1beta1"}],"annotations":{"a":"{\"apiVersion\":\"g/v1beta1\"}"}}"#;

    #[test]
    fn objects_change_wherever_an_answer_holds_them() {
        for template in [
            r#"{"apiVersion":"$","kind":"K",MANAGED}"#,
            r#"{"kind":"L","apiVersion":"$","items":[{"apiVersion":"$",MANAGED},{MANAGED,"apiVersion" : "$"}]}"#,
            r#"{"type":"ADDED","object":{"apiVersion":"$",MANAGED}}"#,
            r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","rows":[{"cells":["a"],"object":{"apiVersion":"$",MANAGED}}]}"#,
            r#"{"type":"ADDED","object":{"kind":"Table","rows":[{"object":{"apiVersion":"$"}},{"object":null}]}}"#,
        ] {
            let template = template.replace("MANAGED", MANAGED);
            let (before, after) = (template.replace('$', "g/v1beta1"), template.replace('$', "g/v1alpha1"));
            assert_eq!(text(rewrite().json(before.clone().into())), after);
            assert_eq!(text(rewrite().back().json(after.into())), before);
        }
    }

    #[test]
    fn what_is_no_object_stays() {
        for json in [
            r#"{"kind":"Status","apiVersion":"v1","message":"the API version in the data (g/v1beta1)"}"#,
            r#"{"apiVersion":"g/v1beta10"}"#,
            r#"{"apiVersion":"g/v1beta1","#,
            r#"["g/v1beta1"]"#,
            r#"{"spec":{"apiVersion":"g/v1beta1"}}"#,
            "",
        ] {
            assert_eq!(text(rewrite().json(json.to_owned().into())), json);
        }
        assert_eq!(rewrite().json(Bytes::from_static(b"\xff{\"apiVersion\":\"g/v1beta1\"}")).len(), 27);
    }

    #[test]
    fn yaml_changes_by_line() {
        let yaml = "apiVersion: g/v1beta1\nitems:\n- apiVersion: g/v1beta1\n  metadata:\n    managedFields:\n    - apiVersion: g/v1beta1\n  text: |\n    apiVersion: g/v1beta1\n";
        let expected = yaml.replacen("g/v1beta1", "g/v1alpha1", 2);
        assert_eq!(text(rewrite().yaml(yaml.to_owned().into())), expected);
    }

    #[test]
    fn bodies_change_in_every_media_type() {
        let rewrite = rewrite();
        for (body, expected) in [
            (r#" {"kind":"K","apiVersion":"g/v1beta1"}"#, r#" {"kind":"K","apiVersion":"g/v1alpha1"}"#),
            ("kind: K\napiVersion: \"g/v1beta1\" # ours\n", "kind: K\napiVersion: \"g/v1alpha1\" # ours\n"),
            ("apiVersion: g/v1beta1", "apiVersion: g/v1alpha1"),
            (
                r#"[{"op":"test","path":"/apiVersion","value":"g/v1beta1"},{"op":"add","path":"/a","value":"g/v1beta1"}]"#,
                r#"[{"op":"test","path":"/apiVersion","value":"g/v1alpha1"},{"op":"add","path":"/a","value":"g/v1beta1"}]"#,
            ),
            (r#"{"items":[{"apiVersion":"g/v1beta1"}]}"#, r#"{"items":[{"apiVersion":"g/v1beta1"}]}"#),
            ("apiVersion: g/v1beta12\n", "apiVersion: g/v1beta12\n"),
        ] {
            assert_eq!(text(rewrite.body(body.to_owned().into())), expected);
        }
        assert!(rewrite.is_other(&Bytes::from_static(b"{\"apiVersion\":\"g/v1alpha1\"}")));
        assert!(!rewrite.is_other(&Bytes::from_static(b"{\"apiVersion\":\"g/v1beta1\"}")));
    }
}
