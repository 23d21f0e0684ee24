//! Without a cluster there is one driver, which calls a snapshot by its namespace and name.

use async_trait::async_trait;
use proto::cbt::{Error, Result, Snapshot};

use super::{Resolve, Route, named, names, same_namespace};

/// Names are handles: `NAMESPACE/NAME`. Whether there is such a snapshot, the driver says.
#[derive(Debug, Clone)]
pub struct Standalone {
    driver: String,
}

// === impl Standalone ===

impl Standalone {
    /// All snapshots are of `driver`.
    pub fn new(driver: &str) -> Self {
        Self { driver: driver.to_owned() }
    }
}

#[async_trait]
impl Resolve for Standalone {
    async fn resolve(&self, target: &Snapshot, base: Option<&Snapshot>) -> Result<Route> {
        let (namespace, name) = named(target)?;
        let base = base.map(|base| handle(namespace, base)).transpose()?;
        let target = format!("{namespace}/{name}");
        Ok(Route { driver: self.driver.clone(), target, base, secrets: Default::default() })
    }
}

fn handle(namespace: &str, base: &Snapshot) -> Result<String> {
    let (other, name) = match base {
        Snapshot::Named { namespace, name } => (namespace.as_str(), name.as_str()),
        Snapshot::Handle(handle) => handle
            .split_once('/')
            .ok_or_else(|| Error::NotFound(format!("there is no snapshot with the handle {handle:?}")))?,
    };
    let (other, name) = names(other, name)?;
    same_namespace(namespace, other)?;
    Ok(format!("{other}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(namespace: &str, name: &str) -> Snapshot {
        Snapshot::Named { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[tokio::test]
    async fn names_are_handles() {
        let resolve = Standalone::new("files");
        let target = snapshot("a", "new");
        for base in [snapshot("a", "old"), Snapshot::Handle("a/old".to_owned())] {
            let route = resolve.resolve(&target, Some(&base)).await.expect("both are names");
            assert_eq!(
                (route.driver.as_str(), route.target.as_str(), route.base.as_deref()),
                ("files", "a/new", Some("a/old"))
            );
        }
        assert_eq!(resolve.resolve(&target, None).await.expect("it is a name").base, None);
    }

    #[tokio::test]
    async fn what_is_elsewhere_or_no_name_is_refused() {
        let resolve = Standalone::new("files");
        for (target, base, what) in [
            (Snapshot::Handle("a/b".to_owned()), None, "by its name"),
            (snapshot("a", "../b"), None, "not the name"),
            (snapshot("a/b", "c"), None, "not the name"),
            (snapshot("", "c"), None, "not the name"),
            (snapshot("a", "b"), Some(snapshot("x", "b")), "of the namespace a"),
            (snapshot("a", "b"), Some(Snapshot::Handle("x/b".to_owned())), "of the namespace a"),
            (snapshot("a", "b"), Some(Snapshot::Handle("b".to_owned())), "no snapshot with the handle"),
            (snapshot("a", "b"), Some(Snapshot::Handle("a/../x/b".to_owned())), "not the name"),
        ] {
            let refused = resolve.resolve(&target, base.as_ref()).await.expect_err("it is refused").to_string();
            assert!(refused.contains(what), "{refused}");
        }
    }
}
