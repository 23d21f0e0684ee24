//! The Accept header.

use std::collections::BTreeMap;

use super::{Encoding, MEDIA_TYPES, MetaVersion, Output, STREAM_MEDIA_TYPES, View};
use crate::status::Status;

/// How to answer a request for objects. `pretty` is what [`pretty`] says of the request.
pub fn accept(header: &str, pretty: bool) -> Result<Output, Status> {
    let output = pick(header, |clause, encoding| {
        let view = view(clause, encoding)?;
        // Custom resources have no protobuf of their own.
        (view != View::Object || encoding != Encoding::Protobuf).then_some(view)
    });
    let (encoding, view, asked) = output.ok_or_else(|| Status::not_acceptable(&MEDIA_TYPES))?;
    Ok(Output { encoding, view, pretty: pretty || asked })
}

/// How to answer a watch: what can be had of an object, and can be streamed.
pub fn watch(header: &str) -> Result<Output, Status> {
    let output = accept(header, false)?;
    match output.encoding {
        Encoding::Yaml => Err(Status::not_acceptable(&STREAM_MEDIA_TYPES)),
        _ => Ok(Output { pretty: false, ..output }),
    }
}

/// Which of `offers`, the usual one first, a header asks for: media types that are written in one way only. A clause that
/// asks for a conversion asks for none of them.
pub fn choose<'a>(header: &str, offers: &[&'a str]) -> Option<&'a str> {
    if header.trim().is_empty() {
        return offers.first().copied();
    }
    let clauses = clauses(header);
    let plain = clauses.iter().filter(|clause| convert(clause).is_none());
    plain.flat_map(|clause| offers.iter().copied().find(|offer| clause.takes(offer))).next()
}

/// How to answer with a Status. One that the client would not accept comes as indented JSON all the same.
pub fn status(header: &str, pretty: bool) -> Output {
    let picked = pick(header, |clause, _| convert(clause).is_none().then_some(View::Object));
    match picked {
        Some((encoding, view, asked)) => Output { encoding, view, pretty: pretty || asked },
        None => Output { pretty: true, ..Output::default() },
    }
}

/// Whether a request wants its answer indented: as its query parameter says, which is what Go's `strconv.ParseBool` takes
/// for true, and without one if a person seems to ask.
pub fn pretty(parameter: Option<&str>, user_agent: &str) -> bool {
    match parameter.unwrap_or_default() {
        "" => ["curl", "Wget", "Mozilla/5.0"].iter().any(|agent| user_agent.starts_with(agent)),
        parameter => matches!(parameter, "1" | "t" | "T" | "true" | "TRUE" | "True"),
    }
}

/// One clause of the header.
pub(super) struct Clause<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: f32,
    params: BTreeMap<&'a str, &'a str>,
}

/// The clauses by quality, the more specific ones first among equals. A quality of 0 refuses.
pub(super) fn clauses(header: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<_> =
        header.split(',').filter_map(Clause::parse).filter(|clause| clause.quality > 0.0).collect();
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(a.vagueness().cmp(&b.vagueness())));
    clauses
}

/// The encodings that a clause is about, in the server's order.
pub(super) fn encodings(clause: &Clause<'_>) -> Vec<Encoding> {
    let all = [Encoding::Json, Encoding::Yaml, Encoding::Protobuf];
    match (clause.kind, clause.subtype) {
        ("*", "*") | ("application", "*") => all.to_vec(),
        ("application", subtype) => Vec::from_iter(Encoding::parse(subtype)),
        _ => Vec::new(),
    }
}

/// The first clause and encoding for which `fits` finds a view; and whether the clause asks for indentation.
fn pick(header: &str, fits: impl Fn(&Clause<'_>, Encoding) -> Option<View>) -> Option<(Encoding, View, bool)> {
    if header.trim().is_empty() {
        return Some((Encoding::Json, View::Object, false));
    }
    clauses(header).iter().find_map(|clause| {
        encodings(clause)
            .into_iter()
            .filter(|encoding| streams(clause, *encoding))
            .find_map(|encoding| Some((encoding, fits(clause, encoding)?, clause.param("pretty") == Some("1"))))
    })
}

/// The view that the parameters `as`, `g` and `v` ask for, if it is known and can be written so.
fn view(clause: &Clause<'_>, encoding: Encoding) -> Option<View> {
    let Some((kind, group, version)) = convert(clause) else { return Some(View::Object) };
    let version = match (group, version) {
        ("meta.k8s.io", "v1") => MetaVersion::V1,
        ("meta.k8s.io", "v1beta1") => MetaVersion::V1Beta1,
        _ => return None,
    };
    match kind {
        "Table" if encoding != Encoding::Protobuf => Some(View::Table(version)),
        "PartialObjectMetadata" => Some(View::Partial(version)),
        "PartialObjectMetadataList" => Some(View::PartialList(version)),
        _ => None,
    }
}

/// Kind, group and version that a clause asks for, when it names any of them.
pub(super) fn convert<'a>(clause: &Clause<'a>) -> Option<(&'a str, &'a str, &'a str)> {
    let [kind, group, version] = ["as", "g", "v"].map(|name| clause.param(name));
    kind.or(group).or(version)?;
    Some((kind.unwrap_or_default(), group.unwrap_or_default(), version.unwrap_or_default()))
}

/// Whether the streaming variant or server version that a clause may name exists.
pub(super) fn streams(clause: &Clause<'_>, encoding: Encoding) -> bool {
    let stream = match clause.param("stream").unwrap_or_default() {
        "" => true,
        "watch" => encoding != Encoding::Yaml,
        _ => false,
    };
    stream && matches!(clause.param("sv").unwrap_or_default(), "" | "v1")
}

// === impl Clause ===

impl<'a> Clause<'a> {
    /// A parameter's value.
    fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name).copied()
    }

    fn parse(clause: &'a str) -> Option<Self> {
        let mut parts = clause.split(';').map(str::trim);
        let (kind, subtype) = match parts.next()?.split('/').map(str::trim).collect::<Vec<_>>().as_slice() {
            ["*"] => ("*", "*"),
            [kind, subtype] if !subtype.is_empty() => (*kind, *subtype),
            _ => return None,
        };
        let mut params: BTreeMap<_, _> = parts
            .filter_map(|param| param.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(_, value)| !value.is_empty() && !value.contains('='))
            .collect();
        // What is no number is worth little, but is no refusal.
        let quality = params.remove("q").map_or(1.0, |quality| quality.parse().unwrap_or(f32::MIN_POSITIVE));
        Some(Self { kind, subtype, quality, params })
    }

    /// Whether it is about a media type.
    fn takes(&self, media_type: &str) -> bool {
        let (kind, subtype) = media_type.split_once('/').unwrap_or((media_type, ""));
        (self.kind == "*" || self.kind == kind) && (self.subtype == "*" || self.subtype == subtype)
    }

    fn vagueness(&self) -> u8 {
        u8::from(self.kind == "*") + u8::from(self.subtype == "*")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PLAIN: &str = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
    const STREAM: &str = "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

    #[test]
    fn the_first_clause_that_can_be_served_counts() {
        use Encoding::{Json, Protobuf, Yaml};
        use MetaVersion::{V1, V1Beta1};
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        let metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
        let cases = [
            ("", Json, View::Object),
            ("*/*", Json, View::Object),
            ("*", Json, View::Object),
            ("application/*", Json, View::Object),
            ("application/json", Json, View::Object),
            ("application/yaml", Yaml, View::Object),
            ("text/html, application/yaml;q=0.5", Yaml, View::Object),
            ("application/yaml;q=0.5, application/json;q=0.8", Json, View::Object),
            ("*/*, application/yaml", Yaml, View::Object),
            ("application/json;q=0, application/yaml", Yaml, View::Object),
            ("application/json;q=x", Json, View::Object),
            ("application/vnd.kubernetes.protobuf,application/json", Json, View::Object),
            (kubectl, Json, View::Table(V1)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", Json, View::Table(V1Beta1)),
            ("application/yaml;as=Table;v=v1;g=meta.k8s.io", Yaml, View::Table(V1)),
            ("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", Json, View::Object),
            ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", Json, View::Object),
            (metadata, Protobuf, View::Partial(V1)),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", Json, View::PartialList(V1)),
            ("application/json; profile=nopeer; charset=utf-8", Json, View::Object),
            ("application/json;stream=watch", Json, View::Object),
        ];
        for (header, encoding, view) in cases {
            assert_eq!(accept(header, false).unwrap(), Output { encoding, view, pretty: false }, "{header}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_not_acceptable() {
        for header in [
            "text/html",
            "application/cbor",
            "application/vnd.kubernetes.protobuf",
            "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io",
            "application/json;v=v1",
            "application/json;as=Table;v=v1;g=other",
            "application/json;stream=other",
            "application/yaml;stream=watch",
            "application/json;sv=v2",
            "application/json;q=0",
            "garbage",
        ] {
            let error = accept(header, false).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (406, PLAIN), "{header}");
        }
    }

    #[test]
    fn watches_stream_json_and_protobuf() {
        assert_eq!(watch("application/yaml").unwrap_err().message, STREAM);
        assert_eq!(watch("application/vnd.kubernetes.protobuf").unwrap_err().message, PLAIN);
        let partial = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        assert_eq!(watch(partial).unwrap().encoding, Encoding::Protobuf);
        assert_eq!(watch("application/json;stream=watch;pretty=1").unwrap(), Output::default());
    }

    #[test]
    fn statuses_are_always_answered() {
        assert_eq!(status("application/yaml", false).encoding, Encoding::Yaml);
        assert_eq!(status("application/vnd.kubernetes.protobuf", false).encoding, Encoding::Protobuf);
        for header in ["text/html", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/cbor"] {
            assert_eq!(status(header, false), Output { pretty: true, ..Output::default() }, "{header}");
        }
    }

    #[test]
    fn one_of_some_offers_is_chosen() {
        let choose = |header| choose(header, &["application/json", "application/x-ndjson", "image/png"]);
        for (header, chosen) in [
            ("", Some("application/json")),
            ("*/*", Some("application/json")),
            ("image/*", Some("image/png")),
            ("application/x-ndjson, */*", Some("application/x-ndjson")),
            ("application/json;q=0.5, application/x-ndjson", Some("application/x-ndjson")),
            ("application/json;as=Table;v=v1;g=meta.k8s.io, application/json", Some("application/json")),
            ("application/json;as=Table;v=v1;g=meta.k8s.io", None),
            ("text/html, application/x-ndjson;q=0", None),
        ] {
            assert_eq!(choose(header), chosen, "{header}");
        }
    }

    #[test]
    fn indentation_is_asked_for_by_query_by_clause_or_by_a_person() {
        for (parameter, agent, expected) in [
            (Some("true"), "", true),
            (Some("1"), "", true),
            (Some("yes"), "", false),
            (Some("false"), "curl/8.5.0", false),
            (Some(""), "curl/8.5.0", true),
            (None, "Mozilla/5.0 (X11)", true),
            (None, "Wget/1.21", true),
            (None, "kubectl/v1.36.3", false),
        ] {
            assert_eq!(pretty(parameter, agent), expected, "{parameter:?} {agent}");
        }
        assert!(accept("application/json;pretty=1", false).unwrap().pretty && accept("", true).unwrap().pretty);
    }

    #[test]
    fn views_fit_objects_or_lists() {
        use super::super::Shape;
        assert!(View::Partial(MetaVersion::V1).check(Shape::Object).is_ok());
        assert!(View::Table(MetaVersion::V1).check(Shape::List).is_ok());
        assert_eq!(View::PartialList(MetaVersion::V1).check(Shape::Object).unwrap_err().code, 406);
        assert_eq!(View::Partial(MetaVersion::V1).check(Shape::List).unwrap_err().code, 406);
    }
}
