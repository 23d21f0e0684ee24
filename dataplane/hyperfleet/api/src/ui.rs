//! Swagger UI, from files within the binary: it works without any network.
//!
//! The page refers to `openapi` and `openapi-ui/…` beside itself, so that it works at the root and under the API's own path, behind any
//! prefix.

use std::sync::Arc;

use bytes::Bytes;
use utoipa_swagger_ui::{Config, serve};

/// The page.
pub(crate) const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>HyperFleet API</title>
  <link rel="icon" type="image/png" href="openapi-ui/favicon-32x32.png">
  <link rel="stylesheet" href="openapi-ui/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="openapi-ui/swagger-ui-bundle.js"></script>
  <script src="openapi-ui/start.js"></script>
</body>
</html>
"#;

/// What the page does when it is there.
const START: &str =
    "window.ui = SwaggerUIBundle({ url: 'openapi', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n";

/// What the page may load and whom it may ask: ourselves.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/// A file of the page with its media type; `None` where there is none.
pub(crate) fn asset(name: &str) -> Option<(Bytes, String)> {
    if name == "start.js" {
        return Some((Bytes::from_static(START.as_bytes()), "text/javascript".to_owned()));
    }
    let file = serve(name, Arc::new(Config::from("openapi"))).ok().flatten()?;
    Some((file.bytes.into_owned().into(), file.content_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let names: Vec<&str> = PAGE.split('"').filter_map(|part| part.strip_prefix("openapi-ui/")).collect();
        assert_eq!(names.len(), 4);
        for name in names {
            assert!(asset(name).is_some_and(|(bytes, _)| !bytes.is_empty()), "{name}");
        }
        assert!(asset("nope.js").is_none());
        assert!(!PAGE.contains("http"), "nothing comes from elsewhere");
    }
}
