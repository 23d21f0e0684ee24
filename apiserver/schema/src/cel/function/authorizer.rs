//! Questions to the authorizer.

use super::{
    Call, Function,
    Kind::{Bool, Library, Text},
    method,
};
use crate::cel::{
    access::{AUTHORIZER, Access, Check, DECISION, Decision, GROUP_CHECK, PATH_CHECK, RESOURCE_CHECK},
    budget::Fault,
    value::Val,
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    method("path", &[Library(AUTHORIZER), Text], Library(PATH_CHECK), path),
    method("group", &[Library(AUTHORIZER), Text], Library(GROUP_CHECK), group),
    method("serviceAccount", &[Library(AUTHORIZER), Text, Text], Library(AUTHORIZER), service_account),
    method("resource", &[Library(GROUP_CHECK), Text], Library(RESOURCE_CHECK), resource),
    method("subresource", &[Library(RESOURCE_CHECK), Text], Library(RESOURCE_CHECK), |call| {
        narrow(call, |access, text| access.subresource = text)
    }),
    method("namespace", &[Library(RESOURCE_CHECK), Text], Library(RESOURCE_CHECK), |call| {
        narrow(call, |access, text| access.namespace = text)
    }),
    method("name", &[Library(RESOURCE_CHECK), Text], Library(RESOURCE_CHECK), |call| {
        narrow(call, |access, text| access.name = text)
    }),
    method("fieldSelector", &[Library(RESOURCE_CHECK), Text], Library(RESOURCE_CHECK), |call| {
        narrow(call, |access, text| access.field_selector = text)
    }),
    method("labelSelector", &[Library(RESOURCE_CHECK), Text], Library(RESOURCE_CHECK), |call| {
        narrow(call, |access, text| access.label_selector = text)
    }),
    method("check", &[Library(RESOURCE_CHECK), Text], Library(DECISION), check),
    method("check", &[Library(PATH_CHECK), Text], Library(DECISION), check),
    method("allowed", &[Library(DECISION)], Bool, |call| Ok(Val::Bool(decision(&call)?.allowed))),
    method("errored", &[Library(DECISION)], Bool, |call| Ok(Val::Bool(decision(&call)?.error.is_some()))),
    method("reason", &[Library(DECISION)], Text, |call| Ok(Val::text(decision(&call)?.reason.as_str()))),
    method("error", &[Library(DECISION)], Text, |call| {
        Ok(Val::text(decision(&call)?.error.as_deref().unwrap_or_default()))
    }),
];

fn subject(call: &Call<'_, '_>) -> Result<Check, Fault> {
    if let Val::Check(check) = call.arg(0)? { Ok(check.get().clone()) } else { Err(Fault::overload()) }
}

fn decision(call: &Call<'_, '_>) -> Result<Decision, Fault> {
    match subject(call)? {
        Check::Decided(decision) => Ok(decision),
        _ => Err(Fault::overload()),
    }
}

fn path<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let path = call.text(1)?;
    match subject(&call)? {
        Check::Authorizer(_) if path.trim().is_empty() => Err(Fault::error("path must not be empty")),
        Check::Authorizer(access) => Ok(Check::Path(Access { path: Some(path), ..access }).into_val()),
        _ => Err(Fault::overload()),
    }
}

fn group<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let group = call.text(1)?;
    match subject(&call)? {
        Check::Authorizer(access) => Ok(Check::Group(Access { group, ..access }).into_val()),
        _ => Err(Fault::overload()),
    }
}

fn service_account<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (namespace, name) = (call.text(1)?, call.text(2)?);
    let Check::Authorizer(access) = subject(&call)? else { return Err(Fault::overload()) };
    if !machinery::name::dns1123_subdomain(&name).is_empty() {
        return Err(Fault::error("Invalid service account name"));
    }
    if !machinery::name::dns1123_label(&namespace).is_empty() {
        return Err(Fault::error("Invalid service account namespace"));
    }
    Ok(Check::Authorizer(Access { service_account: Some((namespace, name)), ..access }).into_val())
}

fn resource<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let resource = call.text(1)?;
    match subject(&call)? {
        Check::Group(_) if resource.trim().is_empty() => Err(Fault::error("resource must not be empty")),
        Check::Group(access) => Ok(Check::Resource(Access { resource, ..access }).into_val()),
        _ => Err(Fault::overload()),
    }
}

fn narrow<'a>(mut call: Call<'a, '_>, set: fn(&mut Access, String)) -> Found<'a> {
    let text = call.text(1)?;
    let Check::Resource(mut access) = subject(&call)? else { return Err(Fault::overload()) };
    set(&mut access, text);
    Ok(Check::Resource(access).into_val())
}

/// What the kube-apiserver takes for one question.
const COST: usize = 350_000;

fn check<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let verb = call.text(1)?;
    let access = subject(&call)?.ask(&verb)?;
    call.budget.take(COST)?;
    match call.names.decision(&access) {
        Some(decision) => Ok(Check::Decided(decision).into_val()),
        None => Err(Fault::Pending(Box::new(access))),
    }
}
