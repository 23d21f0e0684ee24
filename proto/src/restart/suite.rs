//! The cases that every implementation of [`Restarts`] passes.
//!
//! To run them: implement [`Subject`] for what the tests set up, and write `proto::restart_suite!(async { … })` in a test
//! file, with an expression whose future makes one. Each case gets a new and empty store of its own.

pub mod cancel;
pub mod plan;
pub mod submit;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::{Cancel, Error, Request, Restarts, Result, Submitted, User};

/// What the suite runs on: a worker, and an eye on its store.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The worker, which runs.
    fn restarts(&self) -> &dyn Restarts;

    /// The name of a node that nothing speaks against restarting.
    fn node(&self) -> String;

    /// The names and uids of the NodeRestarts in the store.
    async fn stored(&self) -> Vec<(String, String)>;
}

/// Makes a test of every case; `$make` is a future of a [`Subject`].
#[macro_export]
macro_rules! restart_suite {
    ($make:expr) => {
        $crate::restart_suite!(@ $make;
            plan {
                a_plan_is_told_and_nothing_is_stored
                an_unknown_node_is_not_found
                options_that_are_not_json_are_a_bad_request
                options_that_are_wrong_are_invalid_and_named
            }
            submit {
                what_is_submitted_is_stored
                a_key_used_again_is_the_same_restart
                a_key_used_with_other_options_conflicts
                a_bare_request_joins_the_one_that_has_not_ended
                the_same_options_join_the_one_that_has_not_ended
                other_options_conflict_and_name_the_one_that_has_not_ended
                of_concurrent_submissions_one_is_new
            }
            cancel {
                what_is_not_there_cannot_be_cancelled
                another_uid_conflicts
                what_is_cancelled_goes_away
                after_a_cancellation_the_node_can_be_restarted
            }
        );
    };
    (@ $make:expr; $($module:ident { $($case:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make.await;
                $crate::restart::suite::$module::$case(&subject).await;
            }
        )*)*
    };
}

// === what the cases say it with ===

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(60);

/// Begins in a far future, so that nothing happens meanwhile.
const LATER: &str = r#""notBefore":"2999-01-01T00:00:00Z""#;

/// A request for the subject's node; `options` are the fields of the JSON object.
fn request(subject: &dyn Subject, options: &str) -> Request {
    request_for(&subject.node(), format!("{{{options}}}"))
}

fn request_for(node: &str, options: impl Into<Bytes>) -> Request {
    let user = User { name: "jane".into(), ..User::default() };
    Request { node: node.to_owned(), options: options.into(), user }
}

async fn submit(subject: &dyn Subject, options: &str) -> Result<Submitted> {
    subject.restarts().submit(request(subject, options)).await
}

/// A restart that waits for a far future.
async fn waiting(subject: &dyn Subject) -> String {
    let submitted = ok(submit(subject, LATER).await);
    assert!(!submitted.existing);
    submitted.name
}

async fn names(subject: &dyn Subject) -> Vec<String> {
    subject.stored().await.into_iter().map(|(name, _)| name).collect()
}

async fn until_gone(subject: &dyn Subject, name: &str) {
    let gone = async {
        while names(subject).await.iter().any(|there| there == name) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, gone).await.expect("it goes away soon");
}

#[track_caller]
fn ok<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, code: u16) -> Error {
    match result {
        Err(error) if error.0.code == code => error,
        other => panic!("not {code} but {other:?}"),
    }
}
