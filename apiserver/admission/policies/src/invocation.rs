//! What of a cluster's policies is to be evaluated for a request.

use std::sync::Arc;

use admission::Attributes;
use serde_json::Value;

use crate::{
    binding::Binding,
    cel::Input,
    definition::Definition,
    matching::Matched,
    namespaces::Lookup,
    params::{Params, Source as ParamSource},
    source::{Hooks, Policy},
};

/// A policy that is to be evaluated.
pub(crate) struct Invocation<'a, P> {
    pub(crate) policy: &'a P,
    pub(crate) binding: &'a Binding,
    pub(crate) matched: Matched,
    /// Once for each of these; `None` is without params.
    pub(crate) params: Vec<Option<Arc<Value>>>,
}

/// A policy of which that cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misconfigured<'a> {
    pub(crate) policy: &'a str,
    pub(crate) binding: Option<&'a str>,
    pub(crate) why: String,
}

/// One or the other.
pub(crate) type Collected<'a, P> = Result<Invocation<'a, P>, Misconfigured<'a>>;

/// All that is to be evaluated, in order. Misconfigured policies that say nothing when they fail are left out.
pub(crate) async fn collect<'a, P: Policy>(
    hooks: &'a Hooks<P>,
    attributes: &Attributes,
    namespaces: &dyn Lookup,
    source: &ParamSource,
) -> Vec<Collected<'a, P>> {
    let mut collected = Vec::new();
    for (policy, bindings) in hooks.all() {
        let definition = policy.definition();
        let failed = |binding: Option<&'a Binding>, why: String| {
            let what = if binding.is_some() { "binding" } else { "policy" };
            let why = format!("failed to configure {what}: {why}");
            let binding = binding.map(|binding| binding.name.as_str());
            definition.fails.then_some(Err(Misconfigured { policy: &definition.name, binding, why }))
        };
        let matched = match definition.constraints.find_match(attributes, namespaces).await {
            Ok(Some(matched)) => matched,
            Ok(None) => continue,
            Err(why) => {
                collected.extend(failed(None, why));
                continue;
            }
        };
        let params = match &definition.params {
            Some(kind) => source.of(kind).await.map(Some),
            None => Ok(None),
        };
        let params = match params {
            Ok(params) => params,
            Err(why) => {
                collected.extend(failed(None, why));
                continue;
            }
        };
        for binding in bindings {
            if let Some(resources) = &binding.resources {
                match resources.find_match(attributes, namespaces).await {
                    Ok(Some(_)) => {}
                    Ok(None) => continue,
                    Err(why) => {
                        collected.extend(failed(Some(binding), why));
                        continue;
                    }
                }
            }
            match select(definition, binding, params.as_ref(), &attributes.namespace).await {
                Ok(params) if params.is_empty() => {}
                Ok(params) => {
                    collected.push(Ok(Invocation { policy, binding, matched: matched.clone(), params }));
                }
                Err(why) => collected.extend(failed(Some(binding), why)),
            }
        }
    }
    collected
}

async fn select(
    definition: &Definition,
    binding: &Binding,
    params: Option<&Params>,
    namespace: &str,
) -> Result<Vec<Option<Arc<Value>>>, String> {
    match (params, &definition.params, &binding.params) {
        (Some(params), Some(kind), Some(reference)) => {
            Ok(params.select(kind, reference, namespace).await?.into_iter().map(Some).collect())
        }
        _ => Ok(vec![None]),
    }
}

/// What expressions see of a request that is matched, whose objects may have to be had in another version.
pub(crate) async fn input(attributes: &Attributes, matched: &Matched) -> Result<Input, String> {
    let mut input = Input::matched_as(attributes, &matched.resource, &matched.kind);
    if matched.kind != attributes.kind {
        let version = &matched.kind.version;
        let mut objects = [None, None];
        let given = [attributes.object.as_ref(), attributes.old_object.as_deref()];
        for (converted, object) in objects.iter_mut().zip(given) {
            if let Some(object) = object {
                *converted = Some(attributes.interfaces.convert(object, version).await?);
            }
        }
        let [object, old] = objects;
        input.set_objects(object, old);
    }
    Ok(input)
}
