//! Credentials that come with a query, from the secret that its VolumeSnapshotClass names.

use std::collections::BTreeMap;

use aws_sdk_ebs::config::Credentials;
use proto::cbt::{Error, Result};

const KEY: &str = "aws_access_key_id";
const SECRET: &str = "aws_secret_access_key";
const SESSION: &str = "aws_session_token";

/// The credentials among `secrets`, in lower or upper case; `None` when there are none and the process's own count.
pub(crate) fn of(secrets: &BTreeMap<String, String>) -> Result<Option<Credentials>> {
    let find =
        |name: &str| secrets.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
    match (find(KEY), find(SECRET)) {
        (Some(key), Some(secret)) => {
            Ok(Some(Credentials::new(key, secret, find(SESSION), None, "secrets of the query")))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(Error::Invalid(format!("the snapshot class's secret has {KEY} without {SECRET}"))),
        (None, Some(_)) => Err(Error::Invalid(format!("the snapshot class's secret has {SECRET} without {KEY}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_key_and_its_secret_are_credentials() {
        let found = of(&secrets(&[("AWS_ACCESS_KEY_ID", "AKID"), ("aws_secret_access_key", "hush")]));
        let found =
            found.ok().flatten().map(|found| (found.access_key_id().to_owned(), found.secret_access_key().to_owned()));
        assert_eq!(found, Some(("AKID".to_owned(), "hush".to_owned())));
        assert_eq!(of(&secrets(&[("other", "x")])).map(|found| found.is_some()), Ok(false));
    }

    #[test]
    fn half_of_them_is_a_mistake_that_is_named_without_its_value() {
        for half in [KEY, SECRET] {
            match of(&secrets(&[(half, "hush")])) {
                Err(Error::Invalid(message)) => {
                    assert!(message.contains(half) && !message.contains("hush"), "{message}")
                }
                other => panic!("{half}: {other:?}"),
            }
        }
    }
}
