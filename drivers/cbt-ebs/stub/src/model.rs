//! The API's model: which requests there are, and what may be in them and in their answers.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Read,
    path::Path,
};

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use regex::Regex;
use serde_json::Value;

use crate::refusal::Refusal;

/// Where botocore has it, in its package.
const FILE: &str = "data/ebs/2019-11-02/service-2.json";

/// The model.
#[derive(Debug)]
pub struct Model {
    operations: Vec<Operation>,
    shapes: HashMap<String, Value>,
    patterns: HashMap<String, Regex>,
}

#[derive(Debug)]
struct Operation {
    name: String,
    method: String,
    path: Vec<String>,
    input: String,
    output: Option<String>,
    errors: Vec<String>,
}

/// A request that the model allows.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) operation: String,
    /// By the names of the members.
    pub(crate) members: BTreeMap<String, String>,
}

// === impl Model ===

impl Model {
    /// Reads it from the folder of the Python package botocore.
    pub fn load(botocore: &Path) -> Result<Self> {
        let plain = botocore.join(FILE);
        let mut text = String::new();
        if plain.exists() {
            File::open(&plain)?.read_to_string(&mut text)
        } else {
            let packed = plain.with_extension("json.gz");
            let file = File::open(&packed).with_context(|| format!("opening {}", packed.display()))?;
            GzDecoder::new(file).read_to_string(&mut text)
        }
        .context("reading the model of the EBS API")?;
        let model: Value = serde_json::from_str(&text).context("parsing the model of the EBS API")?;
        let shapes: HashMap<String, Value> = serde_json::from_value(model["shapes"].clone())?;
        let patterns = shapes
            .iter()
            .filter_map(|(name, shape)| Some((name.clone(), Regex::new(shape["pattern"].as_str()?))))
            .map(|(name, pattern)| Ok((name, pattern.context("a pattern of the model")?)))
            .collect::<Result<_>>()?;
        let operations = model["operations"].as_object().context("the model has operations")?;
        Ok(Self { operations: operations.values().map(operation).collect::<Result<_>>()?, shapes, patterns })
    }

    /// The request that a method, a path and a query are, if an SDK would send it.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &[String],
        query: &[(String, String)],
    ) -> Result<Request, Refusal> {
        let fits = |operation: &&Operation| operation.method == method && bind(&operation.path, path).is_some();
        let operation = self.operations.iter().find(fits).ok_or_else(|| Refusal::unknown(method, path))?;
        let labels = bind(&operation.path, path).unwrap_or_default();
        let shape = &self.shapes[&operation.input];
        let mut members = BTreeMap::new();
        for (name, member) in shape["members"].as_object().into_iter().flatten() {
            let wire = member["locationName"].as_str().unwrap_or(name);
            let given: Vec<&String> = match member["location"].as_str() {
                Some("uri") => labels.iter().filter(|(label, _)| label == wire).map(|(_, value)| value).collect(),
                Some("querystring") => query.iter().filter(|(key, _)| key == wire).map(|(_, value)| value).collect(),
                _ => continue,
            };
            match given[..] {
                [] => {}
                [value] => {
                    self.value(member["shape"].as_str().unwrap_or_default(), value)
                        .map_err(|why| Refusal::bad(wire, &why))?;
                    members.insert(name.clone(), value.clone());
                }
                _ => return Err(Refusal::bad(wire, "it is given twice")),
            }
        }
        let known = |wire: &str| {
            shape["members"].as_object().is_some_and(|members| {
                members.values().any(|member| member["location"] == "querystring" && member["locationName"] == wire)
            })
        };
        if let Some((unknown, _)) = query.iter().find(|(key, _)| !known(key)) {
            return Err(Refusal::bad(unknown, "there is no such parameter"));
        }
        for required in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(required) {
                return Err(Refusal::bad(required, "it is required"));
            }
        }
        Ok(Request { operation: operation.name.clone(), members })
    }

    /// Whether a value in a path or a query is of a shape, as an SDK would write it.
    fn value(&self, name: &str, text: &str) -> Result<(), String> {
        let shape = &self.shapes[name];
        match shape["type"].as_str() {
            Some("integer") => number(shape, text.parse::<i32>().ok().map(i64::from), text),
            Some("long") => number(shape, text.parse().ok(), text),
            _ => self.text(name, shape, text),
        }
    }

    fn text(&self, name: &str, shape: &Value, text: &str) -> Result<(), String> {
        let length = text.chars().count() as u64;
        let within = shape["min"].as_u64().is_none_or(|min| length >= min)
            && shape["max"].as_u64().is_none_or(|max| length <= max);
        let fits = self.patterns.get(name).is_none_or(|pattern| pattern.is_match(text));
        let listed = shape["enum"].as_array().is_none_or(|values| values.iter().any(|value| value == text));
        if within && fits && listed { Ok(()) } else { Err(format!("{text:?} is no {name}")) }
    }

    /// What is wrong with an answer of an operation.
    pub(crate) fn check(&self, operation: &str, answer: &Value) -> Result<(), String> {
        let operation = self.operations.iter().find(|known| known.name == operation).ok_or("no such operation")?;
        self.conforms(operation.output.as_deref().ok_or("an operation without an answer")?, answer)
    }

    /// What is wrong with an error of an operation.
    pub(crate) fn check_error(&self, operation: &str, error: &str, status: u16, body: &Value) -> Result<(), String> {
        let operation = self.operations.iter().find(|known| known.name == operation).ok_or("no such operation")?;
        if !operation.errors.iter().any(|known| known == error) {
            return Err(format!("{} does not answer {error}", operation.name));
        }
        if self.shapes[error]["error"]["httpStatusCode"] != status {
            return Err(format!("{error} is not {status}"));
        }
        self.conforms(error, body)
    }

    fn conforms(&self, name: &str, value: &Value) -> Result<(), String> {
        let shape = &self.shapes[name];
        let wrong = || Err(format!("{value} is no {name}"));
        match (shape["type"].as_str().unwrap_or_default(), value) {
            ("structure", Value::Object(members)) => {
                for (member, value) in members {
                    let shape = shape["members"][member]["shape"].as_str();
                    self.conforms(shape.ok_or_else(|| format!("{name} has no member {member}"))?, value)?;
                }
                let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                match required.into_iter().find(|required| !members.contains_key(*required)) {
                    Some(required) => Err(format!("{name} needs {required}")),
                    None => Ok(()),
                }
            }
            ("list", Value::Array(items)) => {
                let item = shape["member"]["shape"].as_str().unwrap_or_default();
                items.iter().try_for_each(|value| self.conforms(item, value))
            }
            ("string", Value::String(text)) => self.text(name, shape, text),
            ("integer" | "long", Value::Number(value)) => number(shape, value.as_i64(), &value.to_string()),
            ("timestamp", Value::Number(_)) => Ok(()),
            _ => wrong(),
        }
    }
}

fn operation(model: &Value) -> Result<Operation> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let uri = model["http"]["requestUri"].as_str().context("an operation has a path")?;
    let errors = model["errors"].as_array().into_iter().flatten();
    Ok(Operation {
        name: text(&model["name"]).context("an operation has a name")?,
        method: text(&model["http"]["method"]).context("an operation has a method")?,
        path: uri.split('/').skip(1).map(str::to_owned).collect(),
        input: text(&model["input"]["shape"]).context("an operation has an input")?,
        output: text(&model["output"]["shape"]),
        errors: errors.filter_map(|error| text(&error["shape"])).collect(),
    })
}

/// The labels of a path, such as `/snapshots/{snapshotId}/blocks`.
fn bind(pattern: &[String], path: &[String]) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    for (part, given) in pattern.iter().zip(path) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(label) => labels.push((label.to_owned(), given.clone())),
            None if part == given => {}
            None => return None,
        }
    }
    (pattern.len() == path.len()).then_some(labels)
}

fn number(shape: &Value, value: Option<i64>, text: &str) -> Result<(), String> {
    let value = value.filter(|value| value.to_string() == text).ok_or_else(|| format!("{text:?} is no number"))?;
    let within =
        shape["min"].as_i64().is_none_or(|min| value >= min) && shape["max"].as_i64().is_none_or(|max| value <= max);
    if within { Ok(()) } else { Err(format!("{value} is not within {} and {}", shape["min"], shape["max"])) }
}
