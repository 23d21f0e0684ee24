//! What the API says of itself.

use http::{HeaderValue, StatusCode, header};

use crate::{
    api::Api,
    error::{Code, Error, Result},
    filters::Asked,
    reply::{self, Answer},
    ui,
};

const COMPATIBILITY: &str = r#"{"api_version":"v1","compatible":true,"features":["clusters","nodepools","adapter_status","status_aggregation"]}"#;

/// How long a browser may keep the files of the page: they change with the program only.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub(super) fn metadata() -> Answer {
    let version = env!("CARGO_PKG_VERSION");
    reply::public_json(format!(
        r#"{{"id":"hyperfleet","href":"/api/hyperfleet","kind":"API","version":"{version}","build_time":""}}"#
    ))
}

pub(super) fn compatibility() -> Answer {
    reply::json(StatusCode::OK, COMPATIBILITY)
}

pub(super) fn document(api: &Api) -> Answer {
    reply::public_json(api.schemas.current().document.0.clone())
}

/// The page refers to files beside itself, so its path must not end with a slash.
pub(super) fn page(asked: &Asked) -> Answer {
    if let Some((_, name)) = asked.path.strip_suffix('/').and_then(|path| path.rsplit_once('/')) {
        let mut answer = reply::empty(StatusCode::PERMANENT_REDIRECT);
        reply::set(&mut answer, header::LOCATION, &format!("../{name}"));
        return answer;
    }
    let mut answer = reply::public(ui::PAGE, HeaderValue::from_static("text/html; charset=utf-8"));
    reply::set(&mut answer, header::CONTENT_SECURITY_POLICY, ui::POLICY);
    answer
}

pub(super) fn asset(asked: &Asked, name: &str) -> Result<Answer> {
    let missing = || Error::new(Code::NoSuchPath, format!("The requested resource '{}' doesn't exist", asked.path));
    let (bytes, media) = ui::asset(name).ok_or_else(missing)?;
    let media = HeaderValue::from_str(&media).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut answer = reply::public(bytes, media);
    answer.headers_mut().insert(header::CACHE_CONTROL, KEEP);
    Ok(answer)
}
