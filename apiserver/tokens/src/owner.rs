//! Whose tokens a caller sees, and for whom they may make some.

use apiserver::{Access, Call};
use auth::Attributes;
use machinery::{GroupResource, selector::FieldRequirement, status::Status};

/// The field that says whose a token is. It cannot be changed.
pub(crate) const FIELD: &str = "spec.userID";
/// The verb of those who see everybody's. A role that names it names no verb that the kube-apiserver has.
const VIEW_ALL: &str = "view-all";
/// Who has this group may do everything. A token never makes anybody that.
const MASTERS: &str = "system:masters";

/// What a caller sees who does not see all.
pub(crate) fn requirement(user: &str) -> FieldRequirement {
    FieldRequirement { field: FIELD.to_owned(), equal: true, value: user.to_owned() }
}

/// Whether the caller sees everybody's tokens where the path leads.
pub(crate) async fn sees_all(call: &Call<'_>) -> Result<bool, Status> {
    let GroupResource { group, resource } = call.kind().group_resource();
    let asked = Attributes {
        verb: VIEW_ALL.to_owned(),
        group,
        version: call.kind().version().name.clone(),
        resource,
        namespace: call.namespace().unwrap_or_default().to_owned(),
        ..Attributes::default()
    };
    match call.authorize(&asked).await {
        Ok(()) => Ok(true),
        Err(refusal) if refusal.code == 403 => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Refuses who may not make tokens of `user`: everybody may make their own, and who may impersonate another, theirs.
pub(crate) async fn may_make(access: &Access, resource: &GroupResource, user: &str) -> Result<(), Status> {
    if access.user().is_anonymous() {
        return Err(Status::forbidden(resource, "", "who is nobody can have no token"));
    }
    if user == access.user().name {
        return Ok(());
    }
    access.authorize(&impersonation(user)).await
}

/// The groups that a token of the caller's making gives its user.
pub(crate) fn groups(access: &Access) -> Vec<String> {
    access.user().groups.iter().filter(|group| *group != MASTERS).cloned().collect()
}

/// To be somebody is asked of a service account by its namespace and name, as the kube-apiserver asks it.
fn impersonation(user: &str) -> Attributes {
    let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let (resource, namespace, name) = match account {
        Some((namespace, name)) => ("serviceaccounts", namespace, name),
        None => ("users", "", user),
    };
    Attributes {
        verb: "impersonate".to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Attributes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_accounts_are_impersonated_by_namespace_and_name() {
        let of = |user: &str| {
            let Attributes { verb, resource, namespace, name, .. } = impersonation(user);
            assert_eq!(verb, "impersonate");
            [resource, namespace, name]
        };
        assert_eq!(of("bob"), ["users", "", "bob"]);
        assert_eq!(of("system:serviceaccount:ci:deployer"), ["serviceaccounts", "ci", "deployer"]);
        assert_eq!(of("system:serviceaccount:ci"), ["users", "", "system:serviceaccount:ci"]);
    }
}
