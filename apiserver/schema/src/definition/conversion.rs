//! `spec.conversion`: how objects get from one version into another.

use machinery::field::Error;
use serde_json::Value;

use super::Version;
use crate::path::Path;

/// A webhook that converts objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// Where it is, as `clientConfig` says.
    pub client_config: Value,
    /// The versions of ConversionReview that it takes, the best first.
    pub review_versions: Vec<String>,
}

// === impl Conversion ===

impl Conversion {
    /// Reads the strategy. Where there is one version only nothing is converted.
    pub(super) fn read(
        value: &Value,
        versions: &[Version],
        path: &Path<'_>,
        problems: &mut Vec<Error>,
    ) -> Option<Self> {
        let needed = versions.iter().filter(|version| version.served || version.storage).count() > 1;
        match value["strategy"].as_str().unwrap_or("None") {
            "None" => None,
            "Webhook" => {
                let (webhook, path) = (&value["webhook"], path.field("webhook"));
                let client_config = webhook["clientConfig"].clone();
                let url = client_config["url"].as_str().is_some_and(|url| url.starts_with("https://"));
                if url == client_config["service"].is_object() {
                    let detail = "exactly one of url, which begins with https://, and service is required";
                    problems.push(Error::required(path.field("clientConfig"), detail));
                }
                let versions = webhook["conversionReviewVersions"].as_array().into_iter().flatten();
                let review_versions: Vec<String> =
                    versions.filter_map(|version| version.as_str().map(str::to_owned)).collect();
                if !review_versions.iter().any(|version| matches!(version.as_str(), "v1" | "v1beta1")) {
                    let detail = "must include at least one of v1, v1beta1";
                    problems.push(Error::invalid(
                        path.field("conversionReviewVersions"),
                        Value::from(review_versions.clone()),
                        detail,
                    ));
                }
                needed.then_some(Self { client_config, review_versions })
            }
            other => {
                problems.push(Error::not_supported(path.field("strategy"), other, ["None", "Webhook"]));
                None
            }
        }
    }
}
