//! Which requests a policy or a binding is about.

use admission::{
    Attributes, GroupVersionKind, GroupVersionResource,
    matching::{Rule, label_selector, labels, selects_object},
};
use async_trait::async_trait;
use machinery::selector::LabelSelector;
use serde_json::Value;

use crate::namespaces::Lookup;

/// `matchConstraints` of a policy, or `matchResources` of a binding.
#[derive(Debug)]
pub(crate) struct Matching {
    rules: Vec<Rule>,
    excluded: Vec<Rule>,
    namespaces: Result<LabelSelector, String>,
    objects: Result<LabelSelector, String>,
    /// Whether requests in other versions of a resource count as well.
    equivalent: bool,
}

/// A request that is matched: as one on which resource, and of which kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) resource: GroupVersionResource,
    pub(crate) kind: GroupVersionKind,
}

// === impl Matching ===

impl Matching {
    /// Reads one.
    pub(crate) fn of(resources: &Value) -> Self {
        Self {
            rules: Rule::list(&resources["resourceRules"]),
            excluded: Rule::list(&resources["excludeResourceRules"]),
            namespaces: label_selector(&resources["namespaceSelector"]),
            objects: label_selector(&resources["objectSelector"]),
            equivalent: resources["matchPolicy"] != "Exact",
        }
    }

    /// What the request is matched as by rules alone: no object and no namespace is looked at.
    pub(crate) fn by_rules(&self, attributes: &Attributes) -> Option<Matched> {
        if self.find(&self.excluded, attributes).is_some() {
            return None;
        }
        if self.rules.is_empty() {
            return Some(Matched { resource: attributes.resource.clone(), kind: attributes.kind.clone() });
        }
        self.find(&self.rules, attributes)
    }

    /// What the request is matched as; `None` if it is not. An error is for the failure policy.
    pub(crate) async fn find_match(
        &self,
        attributes: &Attributes,
        namespaces: &dyn Lookup,
    ) -> Result<Option<Matched>, String> {
        let Some(matched) = self.by_rules(attributes) else { return Ok(None) };
        let in_namespace = self.selects_namespace(attributes, namespaces).await;
        let object = self.objects.as_ref().map(|selector| selects_object(selector, attributes));
        if matches!(in_namespace, Ok(false)) || matches!(object, Ok(false)) {
            return Ok(None);
        }
        in_namespace?;
        object.map_err(Clone::clone)?;
        Ok(Some(matched))
    }

    fn find(&self, rules: &[Rule], attributes: &Attributes) -> Option<Matched> {
        if rules.iter().any(|rule| rule.matches(attributes)) {
            return Some(Matched { resource: attributes.resource.clone(), kind: attributes.kind.clone() });
        }
        if !self.equivalent || rules.is_empty() {
            return None;
        }
        let others = attributes.interfaces.versions().into_iter().filter(|other| *other != attributes.resource.version);
        for version in others {
            let resource = GroupVersionResource { version: version.clone(), ..attributes.resource.clone() };
            if rules.iter().any(|rule| rule.matches_as(attributes, &resource)) {
                return Some(Matched { resource, kind: GroupVersionKind { version, ..attributes.kind.clone() } });
            }
        }
        None
    }

    async fn selects_namespace(&self, attributes: &Attributes, namespaces: &dyn Lookup) -> Result<bool, String> {
        let selector = self.namespaces.as_ref().map_err(Clone::clone)?;
        if selector.is_empty() || attributes.namespace.is_empty() {
            return Ok(true);
        }
        let namespace = namespaces.namespace(&attributes.namespace).await.map_err(|status| status.message.clone())?;
        Ok(selector.matches(&labels(&namespace)))
    }
}

/// Namespaces that are known from the beginning.
#[async_trait]
impl Lookup for Vec<Value> {
    async fn namespace(&self, name: &str) -> Result<std::sync::Arc<Value>, admission::Refusal> {
        let found = self.iter().find(|namespace| namespace["metadata"]["name"] == name);
        found.map(|found| std::sync::Arc::new(found.clone())).ok_or_else(|| crate::namespaces::absent(name))
    }
}
