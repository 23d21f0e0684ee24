//! Taking a file apart into the definitions in it.

use machinery::{json, yaml};
use serde_json::Value;

use super::Error;

const API_VERSION: &str = "apiextensions.k8s.io/v1";

/// The definitions in a text, each with its place in it for errors. Documents that say nothing are left out.
pub(super) fn split(text: &[u8]) -> Result<Vec<(String, Value)>, Error> {
    let mut found = Vec::new();
    for (index, document) in documents(text).iter().enumerate() {
        let place = format!("document {}", index + 1);
        collect(place.clone(), decode(&place, document)?, &mut found)?;
    }
    Ok(found)
}

fn collect(place: String, value: Value, found: &mut Vec<(String, Value)>) -> Result<(), Error> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    match (text("apiVersion"), text("kind"), &value) {
        (_, _, Value::Null) => Ok(()),
        (API_VERSION, "CustomResourceDefinition", _) => {
            found.push((place, value));
            Ok(())
        }
        ("v1", "List", _) | (API_VERSION, "CustomResourceDefinitionList", _) => items(&place, &value, found),
        ("", "", _) => Err(Error::Other { place, found: "without apiVersion and kind".to_owned() }),
        (version, kind, _) => Err(Error::Other { place, found: format!("{version} {kind}") }),
    }
}

fn items(place: &str, list: &Value, found: &mut Vec<(String, Value)>) -> Result<(), Error> {
    let item = |(index, item): (usize, &Value)| {
        let mut item = item.clone();
        // The items of a typed list need not repeat its type.
        if list["kind"] != "List" && item.get("kind").is_none() && item.is_object() {
            item["apiVersion"] = Value::from(API_VERSION);
            item["kind"] = Value::from("CustomResourceDefinition");
        }
        collect(format!("item {} of {place}", index + 1), item, found)
    };
    list["items"].as_array().into_iter().flatten().enumerate().try_for_each(item)
}

fn decode(place: &str, document: &[u8]) -> Result<Value, Error> {
    let syntax = |message: String| Error::Syntax { place: place.to_owned(), message };
    if document.trim_ascii_start().first() == Some(&b'{') {
        let decoded = json::decode(document).map_err(|error| syntax(error.to_string()))?;
        return match decoded.duplicates.first() {
            Some(path) => Err(syntax(format!("{path:?} is given twice"))),
            None => Ok(decoded.value),
        };
    }
    let decoded = yaml::decode(document).map_err(|error| syntax(error.to_string()))?;
    match decoded.problem() {
        Some(problem) => Err(syntax(problem)),
        None => Ok(decoded.value),
    }
}

/// The parts of a text between lines that begin with `---`, without those in which there is nothing but comments.
fn documents(text: &[u8]) -> Vec<Vec<u8>> {
    let mut documents = vec![Vec::new()];
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"---") {
            Some(rest) if rest.first().is_none_or(u8::is_ascii_whitespace) => documents.push(rest.to_vec()),
            _ => documents.last_mut().expect("there is a first one").extend_from_slice(line),
        }
    }
    documents.retain(|document| document.split(|byte| *byte == b'\n').any(says_something));
    documents
}

fn says_something(line: &[u8]) -> bool {
    !matches!(line.trim_ascii().first(), None | Some(b'#'))
}
