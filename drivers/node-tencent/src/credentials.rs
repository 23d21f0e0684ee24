//! Keys: from a folder, from the environment, or from STS for the service account of a TKE cluster.

use std::path::{Path, PathBuf};

use power::Secret;
use proto::node::{Error, Result};
use runtime::telemetry::chain;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::{
    Config,
    api::{Api, Auth, Call},
};

/// A key that is about to expire is not used, in seconds.
const MARGIN: i64 = 300;

/// How long STS is asked to let a key live, in seconds.
const LIFETIME: i64 = 7200;

/// What signs.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) token: Option<Secret>,
}

/// Where keys come from.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// A folder that a Secret is mounted at.
    Folder(PathBuf),
    /// The environment.
    Fixed(Key),
    /// STS.
    Tke(Box<Tke>),
    /// Nowhere: it is told when a key is needed.
    None,
}

/// The service account of a TKE cluster, and the key that it has.
#[derive(Debug)]
pub(crate) struct Tke {
    sts: Api,
    region: String,
    provider_id: String,
    token_file: PathBuf,
    role_arn: String,
    last: Mutex<Option<(Key, i64)>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Temporary,
    expired_time: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Temporary {
    token: String,
    tmp_secret_id: String,
    tmp_secret_key: String,
}

// === impl Credentials ===

impl Credentials {
    /// The first that is configured.
    pub(crate) fn new(config: &Config, sts: Api) -> Self {
        let environment = &config.environment;
        if let Some(folder) = &config.tencent_credentials_dir {
            return Self::Folder(folder.clone());
        }
        if let (Some(id), Some(secret)) = (&environment.tencentcloud_secret_id, &environment.tencentcloud_secret_key) {
            let token = environment.tencentcloud_token.clone();
            return Self::Fixed(Key { id: id.clone(), secret: secret.clone(), token });
        }
        match (
            &environment.tke_region,
            &environment.tke_provider_id,
            &environment.tke_web_identity_token_file,
            &environment.tke_role_arn,
        ) {
            (Some(region), Some(provider_id), Some(token_file), Some(role_arn)) => Self::Tke(Box::new(Tke {
                sts,
                region: region.clone(),
                provider_id: provider_id.clone(),
                token_file: token_file.clone(),
                role_arn: role_arn.clone(),
                last: Mutex::new(None),
            })),
            _ => Self::None,
        }
    }

    /// A key that is good at `now`, in seconds since 1970.
    pub(crate) async fn key(&self, now: i64) -> Result<Key> {
        match self {
            Self::Folder(folder) => read(folder),
            Self::Fixed(key) => Ok(key.clone()),
            Self::Tke(tke) => tke.key(now).await,
            Self::None => Err(Error::Forbidden(
                "there are no Tencent Cloud credentials: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY or \
                --tencent-credentials-dir, or give the service account a role of TKE"
                    .to_owned(),
            )),
        }
    }
}

// === impl Tke ===

impl Tke {
    async fn key(&self, now: i64) -> Result<Key> {
        let mut last = self.last.lock().await;
        if let Some((key, _)) = last.as_ref().filter(|(_, expires)| now + MARGIN < *expires) {
            return Ok(key.clone());
        }
        let (key, expires) = self.assume(now).await?;
        *last = Some((key.clone(), expires));
        Ok(key)
    }

    async fn assume(&self, now: i64) -> Result<(Key, i64)> {
        let token = Secret::read(&self.token_file)
            .map_err(|error| Error::Forbidden(format!("TKE_WEB_IDENTITY_TOKEN_FILE: {}", chain(&error))))?;
        let call = Call { action: "AssumeRoleWithWebIdentity", version: "2018-08-13", region: &self.region };
        let arguments = json!({
            "ProviderId": self.provider_id,
            "WebIdentityToken": token.expose(),
            "RoleArn": self.role_arn,
            "RoleSessionName": format!("outrigger-{now}"),
            "DurationSeconds": LIFETIME,
        });
        let (Assumed { credentials, expired_time }, _) =
            self.sts.call(call, &arguments, Auth::Skip, now).await.map_err(power::asked)?;
        let Temporary { token, tmp_secret_id, tmp_secret_key } = credentials;
        let key = Key { id: tmp_secret_id, secret: Secret::new(tmp_secret_key), token: Some(Secret::new(token)) };
        Ok((key, expired_time))
    }
}

/// The keys of a Secret as it is mounted; a token is only there for a key that is temporary.
fn read(folder: &Path) -> Result<Key> {
    let file = |name: &str| Secret::read(&folder.join(name));
    let needed = |name: &str| {
        file(name).map_err(|error| Error::Forbidden(format!("--tencent-credentials-dir: {}", chain(&error))))
    };
    let id = needed("TENCENTCLOUD_SECRET_ID")?.expose().to_owned();
    Ok(Key { id, secret: needed("TENCENTCLOUD_SECRET_KEY")?, token: file("TENCENTCLOUD_TOKEN").ok() })
}
