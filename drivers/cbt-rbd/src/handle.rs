//! Snapshot handles, and the images they stand for.
//!
//! ```text
//! pool/image@snap              a snapshot of an image
//! pool/namespace/image@snap    the same in a namespace of the pool
//! 0001-0009-rook-ceph-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002
//!      │    │         │                └─ the snapshot, 36 characters
//!      │    │         └─ the pool's number, 16 hexadecimal digits
//!      │    └─ the cluster
//!      └─ how long its name is, 4 hexadecimal digits
//! ```
//!
//! The last is ceph-csi's. It has a clone per snapshot, named by a [`Template`], and removes the snapshot of the volume
//! itself: so allocated blocks can be listed by such handles, and changes between two of them cannot. Who wants those
//! asks ceph-csi itself, where it has the SnapshotMetadata service, through `cbt-csi`.
//!
//! Names end up as arguments of a command. None is empty, begins with `-` or has a character that is not printable.

use std::collections::BTreeMap;

use proto::cbt::{Error, Result};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) pool: String,
    /// Empty is the pool's own.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// A snapshot of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snap {
    pub(crate) image: Image,
    pub(crate) name: String,
}

/// What the snapshots of ceph-csi are called in the cluster: the first form of a handle, with `{pool}`, `{cluster}` and
/// `{uuid}` in it.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    text: String,
    pools: BTreeMap<u64, String>,
}

/// A handle of ceph-csi, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct CsiHandle<'a> {
    cluster: &'a str,
    pool: u64,
    uuid: &'a str,
}

// === impl Snap ===

impl Snap {
    /// Reads a handle of any form.
    pub(crate) fn parse(handle: &str, template: &Template) -> Result<Self> {
        match CsiHandle::parse(handle) {
            Some(csi) => Self::parse_spec(&template.fill(&csi)?),
            None => Self::parse_spec(handle),
        }
    }

    /// Reads `pool/[namespace/]image@snap`.
    fn parse_spec(spec: &str) -> Result<Self> {
        let refused = |what: &str| {
            Error::Invalid(format!(
                "the handle {spec:?} {what}: it must be pool/image@snap, pool/namespace/image@snap or a handle of ceph-csi"
            ))
        };
        let (path, name) = spec.split_once('@').ok_or_else(|| refused("names no snapshot"))?;
        let parts: Vec<&str> = path.split('/').collect();
        let (pool, namespace, image) = match parts[..] {
            [pool, image] => (pool, None, image),
            [pool, namespace, image] => (pool, Some(namespace), image),
            _ => return Err(refused("names no image in a pool")),
        };
        if let Some(bad) = [pool, image, name].into_iter().chain(namespace).find(|name| !is_name(name)) {
            return Err(refused(&format!("has {bad:?} for a name")));
        }
        let namespace = namespace.unwrap_or_default().to_owned();
        Ok(Self { image: Image { pool: pool.to_owned(), namespace, name: image.to_owned() }, name: name.to_owned() })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.contains(|c: char| c.is_control() || "/@".contains(c))
}

// === impl Template ===

impl Template {
    /// A template and the names of pools by their numbers; the error is for who wrote `--rbd-image-template`.
    pub(crate) fn new(text: &str, pools: BTreeMap<u64, String>) -> Result<Self, String> {
        if !text.contains("{uuid}") {
            return Err(format!("{text:?} has no {{uuid}} in it"));
        }
        let sample = CsiHandle { cluster: "cluster", pool: 1, uuid: "uuid" };
        let filled = fill(text, &sample, "pool");
        if filled.contains(['{', '}']) {
            return Err(format!("{text:?} has braces other than those of {{pool}}, {{cluster}} and {{uuid}}"));
        }
        Snap::parse_spec(&filled).map_err(|_| format!("{text:?} is not like pool/[namespace/]image@snap"))?;
        Ok(Self { text: text.to_owned(), pools })
    }

    fn fill(&self, csi: &CsiHandle<'_>) -> Result<String> {
        let pool = match self.pools.get(&csi.pool) {
            Some(name) => name,
            None if !self.text.contains("{pool}") => "",
            None => {
                let number = csi.pool;
                return Err(Error::Invalid(format!(
                    "the name of pool {number} is not known: give it with --rbd-pool {number}=NAME"
                )));
            }
        };
        Ok(fill(&self.text, csi, pool))
    }
}

fn fill(text: &str, csi: &CsiHandle<'_>, pool: &str) -> String {
    text.replace("{pool}", pool).replace("{cluster}", csi.cluster).replace("{uuid}", csi.uuid)
}

// === impl CsiHandle ===

impl<'a> CsiHandle<'a> {
    fn parse(handle: &'a str) -> Option<Self> {
        let (version, rest) = handle.split_once('-')?;
        let (length, rest) = rest.split_once('-')?;
        if version != "0001" || length.len() != 4 || !is_hex(length) {
            return None;
        }
        let (cluster, rest) = rest.split_at_checked(usize::from_str_radix(length, 16).ok()?)?;
        let (pool, uuid) = rest.strip_prefix('-')?.split_once('-')?;
        let valid = pool.len() == 16 && is_hex(pool) && uuid.len() == 36;
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !valid || !plain(uuid) || !plain(cluster) {
            return None;
        }
        Some(Self { cluster, pool: u64::from_str_radix(pool, 16).ok()?, uuid })
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSI: &str = "0001-0009-rook-ceph-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002";
    const DEFAULT: &str = "{pool}/csi-snap-{uuid}@csi-snap-{uuid}";

    fn template() -> Template {
        Template::new(DEFAULT, BTreeMap::from([(2, "replicapool".to_owned())])).unwrap()
    }

    fn snap(pool: &str, namespace: &str, image: &str, name: &str) -> Snap {
        let image = Image { pool: pool.into(), namespace: namespace.into(), name: image.into() };
        Snap { image, name: name.into() }
    }

    #[test]
    fn specs_are_taken_apart() {
        let read = |handle| Snap::parse(handle, &template()).unwrap();
        assert_eq!(read("rbd/vm-1@daily"), snap("rbd", "", "vm-1", "daily"));
        assert_eq!(read("rbd/tenant/vm 1@2026-11-21"), snap("rbd", "tenant", "vm 1", "2026-11-21"));
    }

    #[test]
    fn handles_of_ceph_csi_go_through_the_template() {
        let name = "csi-snap-b0285c97-a0ce-11eb-8c66-0242ac110002";
        assert_eq!(Snap::parse(CSI, &template()).unwrap(), snap("replicapool", "", name, name));
        let fixed = Template::new("p/{cluster}/i-{uuid}@s", BTreeMap::new()).unwrap();
        let image = "i-b0285c97-a0ce-11eb-8c66-0242ac110002";
        assert_eq!(Snap::parse(CSI, &fixed).unwrap(), snap("p", "rook-ceph", image, "s"));
    }

    #[test]
    fn an_unknown_pool_names_the_flag() {
        let template = Template::new(DEFAULT, BTreeMap::new()).unwrap();
        let Err(Error::Invalid(message)) = Snap::parse(CSI, &template) else { panic!("a pool without a name") };
        assert!(message.contains("--rbd-pool 2=NAME"), "{message}");
    }

    #[test]
    fn what_could_be_an_option_or_another_name_is_refused() {
        for handle in [
            "",
            "image",
            "pool/image",
            "image@snap",
            "pool/image@",
            "/image@snap",
            "pool/@snap",
            "pool//image@snap",
            "a/b/c/d@e",
            "pool/image@a@b",
            "pool/image@a/b",
            "--id=x/image@snap",
            "pool/-i@snap",
            "pool/image@--format",
            "pool/im\nage@snap",
            "pool/im\0age@snap",
            "0001-0009-rook-ceph-0000000000000002-short",
            "0001-ffff-rook-ceph-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002",
            "0001-0009-rook/ceph0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002",
            "0001-0009-röokceph-0000000000000002-b0285c97-a0ce-11eb-8c66-0242ac110002",
        ] {
            assert!(matches!(Snap::parse(handle, &template()), Err(Error::Invalid(_))), "{handle:?}");
        }
    }

    #[test]
    fn templates_are_checked_when_they_are_given() {
        for text in ["", "{pool}/x@y", "{pool}/{uuid}", "{uuid}@x", "{poool}/{uuid}@x", "-{pool}/{uuid}@s"] {
            assert!(Template::new(text, BTreeMap::new()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_cannot_be_an_option(handle in ".*") {
            if let Ok(Snap { image, name }) = Snap::parse(&handle, &template()) {
                for name in [&image.pool, &image.name, &name] {
                    prop_assert!(is_name(name));
                }
            }
        }
    }
}
