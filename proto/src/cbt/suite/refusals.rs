//! What is refused, and as what.

use super::*;

/// Asked alone, or as what a delta leads to.
pub async fn a_snapshot_that_is_not_there_is_not_found(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in queries(truth) {
        let refused = error(list(subject.blocks(), Query { target: truth.unknown.clone(), ..query }).await);
        assert!(matches!(refused, Error::NotFound(_)), "{refused:?}");
    }
}

/// Never answered by all blocks.
pub async fn a_base_that_is_not_there_is_refused(subject: &dyn Subject) {
    let truth = subject.truth();
    let query = Query { base: Some(truth.unknown.clone()), ..truth.delta() };
    let refused = error(list(subject.blocks(), query).await);
    assert!(matches!(refused, Error::NotFound(_) | Error::NoDelta(_)), "{refused:?}");
}

/// A driver knows handles; of who resolves names, one that is not there is asked.
pub async fn names_are_for_those_who_resolve_them(subject: &dyn Subject) {
    let truth = subject.truth();
    let named = Snapshot::Named { namespace: "default".to_owned(), name: "no-such-name".to_owned() };
    let target = Query { target: named.clone(), ..truth.allocated() };
    let base = Query { base: Some(named), ..truth.delta() };
    for query in [target, base] {
        match error(list(subject.blocks(), query).await) {
            Error::Invalid(_) if !truth.resolves_names => {}
            Error::NotFound(_) if truth.resolves_names => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Never answered by all blocks, and never by none.
pub async fn a_base_of_another_volume_is_refused(subject: &dyn Subject) {
    let truth = subject.truth();
    let Some(foreign) = &truth.foreign else { return };
    let query = Query { base: Some(foreign.clone()), ..truth.delta() };
    let refused = error(list(subject.blocks(), query).await);
    assert!(matches!(refused, Error::NoDelta(_) | Error::Invalid(_)), "{refused:?}");
}
