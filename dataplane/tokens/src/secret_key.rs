//! Where the key of all seals is: in a Secret of Outrigger's own namespace, or without a cluster in a file. It is made when
//! it is missing. Whoever can read it can forge tokens; without it every token is invalid.

use std::{
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context as _, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, Client, api::PostParams};

use crate::seal::{KEY_BYTES, Key};

/// The Secret.
const NAME: &str = "outrigger-token-key";
/// The key in its data.
const FIELD: &str = "key";

/// The key in `namespace` of the cluster. Of replicas that make it at the same time, one wins.
pub(crate) async fn of_cluster(client: Client, namespace: &str) -> anyhow::Result<Key> {
    let api: Api<Secret> = Api::namespaced(client, namespace);
    let place = || format!("the Secret {namespace}/{NAME}, where --token-key-namespace says");
    if let Some(found) = api.get_opt(NAME).await.with_context(|| format!("reading {}", place()))? {
        return read(&found).with_context(place);
    }
    let data = [(FIELD.to_owned(), ByteString(fresh().to_vec()))].into();
    let secret = Secret { data: Some(data), immutable: Some(true), ..Secret::default() };
    let secret =
        Secret { metadata: kube::api::ObjectMeta { name: Some(NAME.to_owned()), ..Default::default() }, ..secret };
    match api.create(&PostParams::default(), &secret).await {
        Ok(made) => read(&made).with_context(place),
        Err(kube::Error::Api(status)) if status.code == 409 => {
            read(&api.get(NAME).await.with_context(|| format!("reading {}", place()))?).with_context(place)
        }
        Err(error) => Err(error).with_context(|| format!("making {}", place())),
    }
}

/// The key in a file, as base64.
pub(crate) fn of_file(path: &Path) -> anyhow::Result<Key> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            let text = BASE64_STANDARD.encode(fresh());
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("writing {}", path.display()))?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| format!("making {}, given with --token-key-file", path.display()));
        }
    }
    let text =
        std::fs::read(path).with_context(|| format!("reading {}, given with --token-key-file", path.display()))?;
    let bytes = BASE64_STANDARD.decode(text.trim_ascii()).unwrap_or_default();
    key(&bytes).with_context(|| format!("{}, given with --token-key-file", path.display()))
}

fn read(secret: &Secret) -> anyhow::Result<Key> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(FIELD));
    key(bytes.map(|bytes| bytes.0.as_slice()).unwrap_or_default())
}

fn key(bytes: &[u8]) -> anyhow::Result<Key> {
    match <&[u8; KEY_BYTES]>::try_from(bytes) {
        Ok(bytes) => Ok(Key::new(bytes)),
        Err(_) => bail!("it holds no key of {KEY_BYTES} bytes: put the right one back, or delete it to begin anew"),
    }
}

fn fresh() -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use kit::Scratch;

    use super::*;

    #[test]
    fn a_file_is_made_once_and_is_for_us_alone() {
        let scratch = Scratch::new("token-key").unwrap();
        let path = scratch.file("token.key");
        of_file(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        of_file(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_of_something_else_is_refused_by_name() {
        let scratch = Scratch::new("token-key").unwrap();
        for text in ["", "short", "c2hvcnQ="] {
            let path = scratch.write("token.key", text).unwrap();
            let error = format!("{:#}", of_file(&path).unwrap_err());
            assert!(error.contains("--token-key-file") && error.contains("no key of 32 bytes"), "{error}");
        }
        let error = format!("{:#}", of_file(&scratch.file("no/folder")).unwrap_err());
        assert!(error.contains("--token-key-file"), "{error}");
    }
}
