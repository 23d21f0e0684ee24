//! YAML as `sigs.k8s.io/yaml` reads and writes it: YAML 1.1 scalars, JSON values, the first document.
//!
//! The parser is `granit-parser`, which also reads the kubeconfigs of `kube`; what its events mean is decided here,
//! because Kubernetes' rules are not those of YAML 1.2 (`on` is true, `010` is 8). No crate writes as Go does, so the
//! writer is ours.
//!
//! The one rule: a document costs at most a small multiple of its size. Nesting is bounded as in JSON, and so is what
//! aliases may repeat.

mod decode;
mod emit;
mod order;
mod scalar;

pub use self::{
    decode::{Decoded, Error, PROBLEMS, decode},
    emit::encode,
};
