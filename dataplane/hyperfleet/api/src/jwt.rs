//! Who asks: bearer tokens (JWT), verified with keys that somebody publishes (JWKS).
//!
//! ```text
//!   Authorization: Bearer …, or the cookie cs_jwt
//!      └─▶ token: three parts, times, claims ─▶ issuer ─▶ keys of that issuer, by kid ─▶ signature ─▶ ACL ─▶ a name for the records
//! ```
//! The one rule: the keys of an issuer vouch for that issuer's tokens only. Reasons are the first version's words; none holds the token.

mod acl;
mod fetch;
mod key;
mod keys;
mod token;

use std::{path::PathBuf, sync::Arc, time::UNIX_EPOCH};

use anyhow::{Context as _, bail};
use http::{HeaderMap, header};
use runtime::Context;
use serde_json::{Map, Value};

use self::{acl::Acl, keys::KeySet, token::Token};
use crate::error::{Code, Error, Result};

/// What tokens are judged by.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Tokens")]
pub struct JwtArgs {
    /// Ask for a bearer token (JWT) with every request but those for public paths.
    #[arg(long, env = "OUTRIGGER_ENABLE_JWT", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_value = "false", default_missing_value = "true", value_parser = crate::config::switch, action = clap::ArgAction::Set)]
    pub enable_jwt: bool,
    /// File of keys (JWKS) that tokens are signed with; followed when it changes. Repeatable.
    #[arg(long, env = "OUTRIGGER_JWK_CERT_FILE", value_name = "FILE", value_delimiter = ',')]
    pub jwk_cert_file: Vec<PathBuf>,
    /// URL of keys (JWKS) that tokens are signed with; read again when a token names an unknown key, at most once a minute. Repeatable.
    #[arg(long, env = "OUTRIGGER_JWK_CERT_URL", value_name = "URL", value_delimiter = ',')]
    pub jwk_cert_url: Vec<String>,
    /// CA of the servers of --jwk-cert-url (PEM); the system's CAs when it is not given.
    #[arg(long, env = "OUTRIGGER_JWK_CA_FILE", value_name = "FILE")]
    pub jwk_ca_file: Option<PathBuf>,
    /// An issuer whose tokens are taken; without any, all issuers whose keys are known. ISSUER=FILE or ISSUER=URL gives it keys of its own.
    /// Repeatable.
    #[arg(long, env = "OUTRIGGER_JWT_ISSUER", value_name = "ISSUER[=KEYS]", value_delimiter = ',')]
    pub jwt_issuer: Vec<String>,
    /// An audience that tokens must be for; without any it does not matter. Repeatable.
    #[arg(long, env = "OUTRIGGER_JWT_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',')]
    pub jwt_audience: Vec<String>,
    /// Claims that name the caller, the first that is there: it becomes created_by, updated_by and deleted_by.
    #[arg(
        long,
        env = "OUTRIGGER_JWT_IDENTITY_CLAIM",
        value_name = "CLAIM",
        value_delimiter = ',',
        default_value = "username,preferred_username,email,sub"
    )]
    pub jwt_identity_claim: Vec<String>,
    /// YAML list of {claim, pattern}: a token must have a claim that matches its pattern. Followed when it changes.
    #[arg(long, env = "OUTRIGGER_ACL_FILE", value_name = "FILE")]
    pub acl_file: Option<PathBuf>,
}

/// Judges tokens.
pub(crate) struct Authenticator {
    issuers: Vec<Issuer>,
    /// Keys of the issuers that have none of their own.
    common: Arc<KeySet>,
    audiences: Vec<String>,
    identity: Vec<String>,
    acl: Arc<Acl>,
    clock: runtime::clock::Clock,
}

struct Issuer {
    name: String,
    keys: Option<Arc<KeySet>>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What it is recorded as.
    pub(crate) name: String,
}

/// What a caller is recorded as when nobody asks who it is, as in the first version.
const NOBODY: &str = "system";
/// Longest name of a caller, in bytes.
const LONGEST: usize = 256;

// === impl Caller ===

impl Default for Caller {
    fn default() -> Self {
        Self { name: NOBODY.to_owned() }
    }
}

// === impl Authenticator ===

impl Authenticator {
    /// Loads keys and the ACL, and follows them.
    pub(crate) async fn load(args: &JwtArgs, context: &Context) -> anyhow::Result<Self> {
        let client = fetch::Client::new(args.jwk_ca_file.as_deref())?;
        let files = args.jwk_cert_file.iter().map(|file| file.display().to_string());
        let common: Vec<String> = files.chain(args.jwk_cert_url.iter().cloned()).collect();
        let mut issuers = Vec::new();
        for issuer in &args.jwt_issuer {
            let (name, keys) = match issuer.split_once('=') {
                Some((name, source)) => (name, Some(KeySet::load(&[source.to_owned()], &client, context).await?)),
                None => (issuer.as_str(), None),
            };
            issuers.push(Issuer { name: name.to_owned(), keys });
        }
        if common.is_empty() && (issuers.is_empty() || issuers.iter().any(|issuer| issuer.keys.is_none())) {
            bail!("--enable-jwt needs keys: give --jwk-cert-file, --jwk-cert-url or --jwt-issuer ISSUER=KEYS");
        }
        let acl = Acl::load(args.acl_file.as_deref(), &context.tasks).context("loading --acl-file")?;
        Ok(Self {
            issuers,
            common: KeySet::load(&common, &client, context).await?,
            audiences: args.jwt_audience.clone(),
            identity: args.jwt_identity_claim.clone(),
            acl,
            clock: Arc::clone(&context.clock),
        })
    }

    /// Who asks, by the headers of a request.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Caller> {
        let text = bearer(headers)?;
        let token = Token::read(&text).ok_or_else(|| refused("Bearer token is malformed"))?;
        let keys = self.keys_of(&token)?;
        let verified = match &token.key {
            Some(kid) => keys.find(kid).await.map(|key| key.verifies(&token)),
            None => None,
        };
        match verified {
            Some(true) => {}
            Some(false) => return Err(refused("Signature of bearer token isn't valid")),
            None => return Err(refused("Bearer token can't be verified")),
        }
        let now = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        token.check(now).map_err(refused)?;
        self.check_audience(&token)?;
        if !self.acl.admits(&token.claims) {
            return Err(refused("Access denied"));
        }
        Ok(self.caller(&token.claims))
    }

    fn keys_of(&self, token: &Token<'_>) -> Result<&Arc<KeySet>> {
        if self.issuers.is_empty() {
            return Ok(&self.common);
        }
        let said = token.claims.get("iss").and_then(Value::as_str);
        let Some(said) = said else { return Err(refused("Bearer token doesn't contain required claim 'iss'")) };
        match self.issuers.iter().find(|issuer| issuer.name == said) {
            Some(issuer) => Ok(issuer.keys.as_ref().unwrap_or(&self.common)),
            None => Err(refused("Bearer token issuer isn't allowed")),
        }
    }

    fn check_audience(&self, token: &Token<'_>) -> Result<()> {
        let wanted =
            |value: &Value| value.as_str().is_some_and(|said| self.audiences.iter().any(|wanted| wanted == said));
        let fits = match token.claims.get("aud") {
            _ if self.audiences.is_empty() => true,
            None => return Err(refused("Bearer token doesn't contain required claim 'aud'")),
            Some(Value::Array(said)) => said.iter().any(wanted),
            Some(said) => wanted(said),
        };
        if fits { Ok(()) } else { Err(refused("Bearer token audience isn't allowed")) }
    }

    fn caller(&self, claims: &Map<String, Value>) -> Caller {
        let texts = self.identity.iter().filter_map(|claim| claims.get(claim).and_then(Value::as_str)).map(str::trim);
        let fits = |text: &&str| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        texts.filter(fits).map(|text| Caller { name: text.to_owned() }).next().unwrap_or_default()
    }
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Result<String> {
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        let absent = "Request doesn't contain the 'Authorization' header or the 'cs_jwt' cookie";
        return cookie(headers).ok_or_else(|| refused(absent));
    };
    let malformed = || refused("'Authorization' header is malformed");
    let text = header.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(|character: char| character.is_ascii_whitespace()).ok_or_else(malformed)?;
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(malformed());
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused(format!("Authentication type '{scheme}' isn't supported")));
    }
    Ok(token.trim().to_owned())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, value)| *name == "cs_jwt" && !value.is_empty())
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

fn refused(reason: impl Into<String>) -> Error {
    Error::new(Code::Unauthenticated, reason)
}
