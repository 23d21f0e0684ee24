//! Certificates of our own: made once, kept, and made anew when they must be.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, SystemTime},
};

use runtime::tls::bootstrap::{self, Standalone};
use rustls::{RootCertStore, client::WebPkiServerVerifier, client::danger::ServerCertVerifier};
use rustls_pki_types::{ServerName, UnixTime};

use crate::client::{pair, roots};

const DAY: Duration = Duration::from_secs(86_400);
const URL: &str = "https://127.0.0.1:8443";

fn now() -> SystemTime {
    runtime::clock::system()()
}

fn make(dir: &Path, names: &[&str], now: SystemTime) -> Standalone {
    runtime::tls::install_provider();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    bootstrap::standalone(dir, &names, URL, now).unwrap()
}

/// The files below a folder with their contents.
fn contents(dir: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.push((path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn changed(before: &[(String, String)], after: &[(String, String)]) -> Vec<String> {
    after.iter().filter(|file| !before.contains(file)).map(|(name, _)| name.clone()).collect()
}

fn is_for(roots: RootCertStore, made: &bootstrap::Pair, name: &str, at: SystemTime) -> bool {
    let verifier = WebPkiServerVerifier::builder(roots.into()).build().unwrap();
    let (chain, _) = pair(made);
    let at = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&chain[0], &chain[1..], &name, &[], at).is_ok()
}

#[test]
fn the_server_is_reached_by_every_name_of_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), &["outrigger.example", "10.1.2.3"], now());
    for name in ["localhost", "127.0.0.1", "::1", "outrigger.example", "10.1.2.3"] {
        assert!(is_for(roots(&made.ca), &made.serving, name, now()), "{name}");
    }
    assert!(!is_for(roots(&made.ca), &made.serving, "other.example", now()));
    assert!(!is_for(roots(&made.ca), &made.admin, "localhost", now()), "a client's certificate serves nothing");
}

#[test]
fn everything_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), &[], now());
    let pki = dir.path().join("pki");
    assert_eq!(fs::metadata(&pki).unwrap().permissions().mode() & 0o777, 0o700);
    for file in
        fs::read_dir(&pki).unwrap().map(|entry| entry.unwrap().path()).chain([dir.path().join("admin.kubeconfig")])
    {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn what_is_good_is_kept_and_what_is_not_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path(), &["a.example"], now());
    let made = contents(dir.path());
    make(dir.path(), &["a.example"], now() + DAY * 300);
    assert_eq!(contents(dir.path()), made, "nothing has changed");

    make(dir.path(), &["b.example"], now());
    let other_name = contents(dir.path());
    assert_eq!(changed(&made, &other_name), ["serving.crt", "serving.key"]);

    make(dir.path(), &["b.example"], now() + DAY * 340);
    let later = contents(dir.path());
    let renewed = ["admin.crt", "admin.key", "admin.kubeconfig", "serving.crt", "serving.key"];
    assert_eq!(changed(&other_name, &later), renewed, "they were about to end");

    fs::write(dir.path().join("pki/admin.key"), "broken").unwrap();
    make(dir.path(), &["b.example"], now() + DAY * 340);
    let repaired = contents(dir.path());
    assert_eq!(changed(&later, &repaired), ["admin.crt", "admin.key", "admin.kubeconfig"]);

    make(dir.path(), &["b.example"], now() + DAY * 3400);
    assert_eq!(changed(&repaired, &contents(dir.path())).len(), 7, "a CA does not end before what it vouches for");
}

#[test]
fn a_lost_ca_takes_everything_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), &[], now());
    let before = contents(dir.path());
    fs::remove_file(&made.ca).unwrap();
    make(dir.path(), &[], now());
    assert_eq!(changed(&before, &contents(dir.path())).len(), 7);
    assert!(is_for(roots(&made.ca), &made.serving, "localhost", now()));
}

#[test]
fn the_kubeconfig_leads_to_the_server_as_its_admin() {
    let dir = tempfile::tempdir().unwrap();
    let made = make(dir.path(), &[], now());
    let text = fs::read_to_string(made.kubeconfig).unwrap();
    assert!(text.contains(&format!("server: {URL}\n")));
    assert!(text.contains("current-context: outrigger\n"));
    assert!(!text.contains("insecure"));
}

#[test]
fn somebody_elses_serving_certificate_is_used_as_it_is() {
    runtime::tls::install_provider();
    let dir = tempfile::tempdir().unwrap();
    let ours = bootstrap::serving(dir.path(), &[], now()).unwrap();
    assert!(is_for(roots(&ours.ca.unwrap()), &ours.pair, "localhost", now()));

    fs::remove_file(dir.path().join("ca.key")).unwrap();
    let before = contents(dir.path());
    let theirs = bootstrap::serving(dir.path(), &["b.example".to_owned()], now() + DAY * 360).unwrap();
    assert_eq!(theirs.ca, None);
    assert_eq!(contents(dir.path()), before);
}
