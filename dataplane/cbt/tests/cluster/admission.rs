//! Who is let in.

use std::sync::Arc;

use tonic::Code;

use super::{
    objects::{self, AUDIENCE, Snapshot, namespace},
    serving::{Relay, volume},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_counts_for_its_audience_only() {
    let ns = "audience";
    let cluster = namespace(ns).await;
    let admin = cluster.admin();
    Snapshot::new(ns, "new", "target").make(&admin).await;
    objects::service(&admin, "other.example.com", "other-audience").await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let mut backup = relay.backup(cluster, ns).await;
    assert_eq!(backup.allocated("new", 0, 0).await.code(), Code::Ok);

    for (audiences, why) in [
        (&[][..], "for the cluster's own API"),
        (&["somebody-else"], "for nobody that we know"),
        (&["other-audience"], "for another driver"),
    ] {
        let token = objects::token(&admin, ns, "backup", audiences).await;
        let refused = backup.showing(&token).allocated("new", 0, 0).await;
        assert_eq!(refused.code(), Code::Unauthenticated, "a token {why}: {refused:?}");
    }
    let both = objects::token(&admin, ns, "backup", &["other-audience", AUDIENCE]).await;
    assert_eq!(backup.showing(&both).allocated("new", 0, 0).await.code(), Code::Ok);
    for token in ["garbage", "a.b.c", &format!("{}x", backup.token)] {
        let refused = backup.showing(token).allocated("new", 0, 0).await;
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        assert!(!refused.why().contains(token));
    }
    assert_eq!(backup.showing("").allocated("new", 0, 0).await.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_look_at_snapshots_learns_nothing_of_them() {
    let (ns, other) = ("rights", "rights-elsewhere");
    let cluster = namespace(ns).await;
    namespace(other).await;
    let admin = cluster.admin();
    Snapshot::new(other, "new", "target").make(&admin).await;
    let relay = Relay::start(cluster, Arc::new(volume(3))).await;
    let backup = relay.backup(cluster, ns).await;
    let mut elsewhere = backup.looking_at(other);
    for snapshot in ["new", "no-such-snapshot"] {
        let refused = elsewhere.allocated(snapshot, 0, 0).await;
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
        assert!(refused.why().contains("system:serviceaccount:rights:backup"), "{}", refused.why());
    }
    objects::account(&admin, ns, "nobody").await;
    let token = objects::token(&admin, ns, "nobody", &[AUDIENCE]).await;
    let refused = backup.showing(&token).delta("base", "new", 0, 0).await;
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}
