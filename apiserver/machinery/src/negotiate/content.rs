//! The Content-Type header.

use super::{Encoding, MEDIA_TYPES};
use crate::status::Status;

/// The kinds of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatchType {
    /// `application/json-patch+json`, RFC 6902
    Json,
    /// `application/merge-patch+json`, RFC 7386
    Merge,
    /// `application/apply-patch+yaml`, server-side apply
    Apply,
}

/// How a request's body is written; JSON when it does not say. Protobuf cannot be read, although Go's text lists it.
pub fn content_type(header: &str) -> Result<Encoding, Status> {
    let given = media_type(header);
    match given.as_str() {
        "" | "application/json" => Ok(Encoding::Json),
        "application/yaml" => Ok(Encoding::Yaml),
        _ => Err(Status::unsupported_media_type(&MEDIA_TYPES)),
    }
}

/// Which kind of patch a request's body is. A strategic merge patch is none of them: clients fall back on 415.
pub fn patch_type(header: &str) -> Result<PatchType, Status> {
    let all = [PatchType::Json, PatchType::Merge, PatchType::Apply];
    let given = media_type(header);
    let found = all.into_iter().find(|patch| patch.media_type() == given);
    found.ok_or_else(|| Status::unsupported_media_type(&all.map(PatchType::media_type)))
}

// === impl PatchType ===

impl PatchType {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }
}

/// The media type without its parameters, which say nothing that counts.
fn media_type(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_or_yaml() {
        assert_eq!(content_type("").unwrap(), Encoding::Json);
        assert_eq!(content_type("application/json; charset=utf-8").unwrap(), Encoding::Json);
        assert_eq!(content_type("Application/YAML").unwrap(), Encoding::Yaml);
        for header in ["text/plain", "application/vnd.kubernetes.protobuf", "json", "*/*"] {
            let error = content_type(header).unwrap_err();
            assert_eq!(error.code, 415, "{header}");
            assert_eq!(
                error.message,
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
            );
        }
    }

    #[test]
    fn patches_are_json_merge_or_apply() {
        assert_eq!(patch_type("application/json-patch+json").unwrap(), PatchType::Json);
        assert_eq!(patch_type("application/merge-patch+json;charset=utf-8").unwrap(), PatchType::Merge);
        assert_eq!(patch_type("application/apply-patch+yaml").unwrap(), PatchType::Apply);
        for header in ["application/strategic-merge-patch+json", "application/json", "", "application/apply-patch+cbor"]
        {
            let error = patch_type(header).unwrap_err();
            assert_eq!(error.code, 415, "{header}");
            assert_eq!(
                error.message,
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            );
        }
    }
}
