//! Which requests a webhook or a policy is about: rules and selectors, as `admissionregistration.k8s.io` writes them.

use std::collections::BTreeMap;

use machinery::{
    meta::ObjectMeta,
    selector::{LabelSelector, Operator, Requirement},
};
use serde_json::Value;

use crate::{Attributes, GroupVersionResource, Operation};

/// One of the `rules` of a webhook, or of the `resourceRules` of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    operations: Vec<String>,
    groups: Vec<String>,
    versions: Vec<String>,
    resources: Vec<String>,
    scope: String,
    names: Vec<String>,
}

// === impl Rule ===

impl Rule {
    /// Reads one.
    pub fn of(rule: &Value) -> Self {
        let list = |field: &str| texts(&rule[field]);
        Self {
            operations: list("operations"),
            groups: list("apiGroups"),
            versions: list("apiVersions"),
            resources: list("resources"),
            scope: rule["scope"].as_str().unwrap_or("*").to_owned(),
            names: list("resourceNames"),
        }
    }

    /// Reads a list of them.
    pub fn list(rules: &Value) -> Vec<Self> {
        rules.as_array().into_iter().flatten().map(Self::of).collect()
    }

    /// Whether it is about such a request.
    pub fn matches(&self, attributes: &Attributes) -> bool {
        self.matches_as(attributes, &attributes.resource)
    }

    /// Whether it is about such a request, if it were one on `resource`.
    pub fn matches_as(&self, attributes: &Attributes, resource: &GroupVersionResource) -> bool {
        self.scope_fits(&attributes.namespace)
            && any(&self.operations, attributes.operation.as_str())
            && any(&self.groups, &resource.group)
            && any(&self.versions, &resource.version)
            && self.resource_fits(&resource.resource, &attributes.subresource)
            && (self.names.is_empty() || self.names.contains(&attributes.name))
    }

    /// Whether it is about any request of this operation, whatever it is on.
    pub fn has_operation(&self, operation: Operation) -> bool {
        any(&self.operations, operation.as_str())
    }

    fn scope_fits(&self, namespace: &str) -> bool {
        match self.scope.as_str() {
            "*" => true,
            "Namespaced" => !namespace.is_empty(),
            "Cluster" => namespace.is_empty(),
            _ => false,
        }
    }

    fn resource_fits(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|rule| {
            let (of_resource, of_subresource) = rule.split_once('/').unwrap_or((rule, ""));
            (of_resource == "*" || of_resource == resource) && (of_subresource == "*" || of_subresource == subresource)
        })
    }
}

/// A `labelSelector` as objects write it. What is not there selects everything.
pub fn label_selector(selector: &Value) -> Result<LabelSelector, String> {
    let equal = selector["matchLabels"].as_object().into_iter().flatten().map(|(key, value)| {
        let values = vec![value.as_str().unwrap_or_default().to_owned()];
        Ok(Requirement { key: key.clone(), operator: Operator::In, values })
    });
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten().map(|expression| {
        let operator = match expression["operator"].as_str().unwrap_or_default() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(format!("{other:?} is not a valid label selector operator")),
        };
        let key = expression["key"].as_str().unwrap_or_default().to_owned();
        Ok(Requirement { key, operator, values: texts(&expression["values"]) })
    });
    Ok(LabelSelector { requirements: equal.chain(expressions).collect::<Result<_, _>>()? })
}

/// Whether the object, as it was or as it shall be, has such labels.
pub fn selects_object(selector: &LabelSelector, attributes: &Attributes) -> bool {
    let has = |object: &Value| selector.matches(&ObjectMeta::of(object).labels());
    selector.is_empty()
        || attributes.object.as_ref().is_some_and(has)
        || attributes.old_object.as_deref().is_some_and(has)
}

/// The labels of an object.
pub fn labels(object: &Value) -> BTreeMap<String, String> {
    ObjectMeta::of(object).labels()
}

fn any(items: &[String], requested: &str) -> bool {
    items.iter().any(|item| item == "*" || item == requested)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
