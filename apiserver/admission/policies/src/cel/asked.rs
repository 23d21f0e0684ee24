//! What the authorizer was asked during a request, and what it said.

use std::collections::HashMap;

use auth::{Authorizer, Requirement, User};
use machinery::selector::{FieldSelector, LabelSelector, Operator};
use schema::cel::{Access, Decision};

/// The answers so far. Each question is asked once.
#[derive(Debug, Default)]
pub(crate) struct Asked(HashMap<Access, Decision>);

// === impl Asked ===

impl Asked {
    /// The answer, if it is known.
    pub(super) fn get(&self, access: &Access) -> Option<&Decision> {
        self.0.get(access)
    }

    /// Asks on behalf of `user`, unless the question is about somebody else.
    pub(super) async fn ask(&mut self, access: Access, user: &User, authorizer: &dyn Authorizer) {
        let account = access.service_account.as_ref().map(|(namespace, name)| User {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            groups: vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")],
            ..User::default()
        });
        let decision = match authorizer.authorize(account.as_ref().unwrap_or(user), &attributes(&access)).await {
            Ok(auth::Decision::Allow) => Decision { allowed: true, ..Decision::default() },
            Ok(auth::Decision::Deny { reason }) => Decision { reason, ..Decision::default() },
            Err(error) => Decision { error: Some(error.to_string()), ..Decision::default() },
        };
        self.0.insert(access, decision);
    }
}

fn attributes(access: &Access) -> auth::Attributes {
    if let Some(path) = &access.path {
        return auth::Attributes::path(&access.verb, path);
    }
    auth::Attributes {
        verb: access.verb.clone(),
        group: access.group.clone(),
        version: "*".to_owned(),
        resource: access.resource.clone(),
        subresource: access.subresource.clone(),
        namespace: access.namespace.clone(),
        name: access.name.clone(),
        fields: fields(&access.field_selector),
        labels: labels(&access.label_selector),
        ..auth::Attributes::default()
    }
}

/// The requirements of a selector. One that cannot be read narrows nothing.
fn fields(selector: &str) -> Vec<Requirement> {
    let selector = FieldSelector::parse(selector).unwrap_or_default();
    let requirements = selector.requirements.into_iter().map(|requirement| Requirement {
        key: requirement.field,
        operator: if requirement.equal { "In" } else { "NotIn" },
        values: vec![requirement.value],
    });
    requirements.collect()
}

fn labels(selector: &str) -> Vec<Requirement> {
    let selector = LabelSelector::parse(selector).unwrap_or_default();
    let known = selector.requirements.into_iter().filter_map(|requirement| {
        let operator = match requirement.operator {
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            // Reviews have no word for these.
            Operator::GreaterThan | Operator::LessThan => return None,
        };
        Some(Requirement { key: requirement.key, operator, values: requirement.values })
    });
    known.collect()
}
