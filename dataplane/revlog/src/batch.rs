//! Decides a batch of writes: pure, in order, each against the state that those before it left.

use std::{collections::HashMap, sync::Arc};

use proto::store::{Change, Content, Entry, Error, Event, Expect, Key, Previous, Result, Revision};

use crate::{
    codec::Stored,
    engine::{Current, Record},
};

/// A write that is ready to be decided: what is costly about it has been done outside of the turn.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) key: Key,
    pub(crate) op: PreparedOp,
}

/// What a prepared write does.
#[derive(Debug, Clone)]
pub(crate) enum PreparedOp {
    Create(Arc<Content>, Stored),
    Update(Arc<Content>, Stored, Expect),
    Delete(Expect),
}

/// What becomes of a batch.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What to append, in order.
    pub(crate) records: Vec<Arc<Record>>,
    /// For each record, what the object was before an update.
    pub(crate) before: Vec<Option<(Revision, Arc<Content>)>>,
    /// For each write, the revision it makes or why it is refused.
    pub(crate) outcomes: Vec<Result<Revision>>,
}

/// Decides `writes` in order, from `head` on and with the keys as `current` says.
pub(crate) fn plan(
    head: Revision,
    mut current: HashMap<Key, Current>,
    writes: impl IntoIterator<Item = Prepared>,
) -> Plan {
    let mut plan = Plan::default();
    for write in writes {
        let revision = head + 1 + plan.records.len() as Revision;
        let outcome = decide(revision, current.get(&write.key), write).map(|(record, before)| {
            let content = (record.change != Change::Deleted).then(|| record.content.clone());
            current.insert(record.key.clone(), Current { revision, content });
            plan.records.push(Arc::new(record));
            plan.before.push(before);
            revision
        });
        plan.outcomes.push(outcome);
    }
    plan
}

type Decided = (Record, Option<(Revision, Arc<Content>)>);

/// The record at `revision` that `write` makes of `current`.
fn decide(revision: Revision, current: Option<&Current>, Prepared { key, op }: Prepared) -> Result<Decided> {
    let previous = current.map_or(0, |current| current.revision);
    let live = current.and_then(|current| current.content.as_ref());
    let record = |key, change, content, stored| Record { key, revision, change, previous, content, stored };
    match (op, live) {
        (PreparedOp::Create(..), Some(_)) => Err(Error::AlreadyExists { key, revision: previous }),
        (PreparedOp::Create(content, stored), None) => Ok((record(key, Change::Created, content, Some(stored)), None)),
        (PreparedOp::Update(..) | PreparedOp::Delete(_), None) => Err(Error::NotFound { key }),
        (PreparedOp::Update(content, stored, expect), Some(old)) => {
            check(&key, expect, &old.uid, previous)?;
            Ok((record(key, Change::Updated, content, Some(stored)), Some((previous, old.clone()))))
        }
        (PreparedOp::Delete(expect), Some(old)) => {
            check(&key, expect, &old.uid, previous)?;
            Ok((record(key, Change::Deleted, old.clone(), None), None))
        }
    }
}

/// Whether the object with `uid` at `revision` is as expected.
fn check(key: &Key, expected: Expect, uid: &str, revision: Revision) -> Result<()> {
    let same_revision = expected.revision.is_none_or(|expected| expected == revision);
    let same_uid = expected.uid.as_deref().is_none_or(|expected| expected == uid);
    match same_revision && same_uid {
        true => Ok(()),
        false => Err(Error::Conflict { key: key.clone(), expected, uid: uid.to_owned(), revision }),
    }
}

// === impl Plan ===

impl Plan {
    /// The events that watchers see once the records are durable.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.records.iter().zip(&self.before).map(|(record, before)| event(record, before.as_ref())).collect()
    }
}

fn event(record: &Record, before: Option<&(Revision, Arc<Content>)>) -> Event {
    let entry = Entry { key: record.key.clone(), revision: record.revision, content: Content::clone(&record.content) };
    let previous = before.map(|(revision, content)| Previous { revision: *revision, content: Content::clone(content) });
    Event { change: record.change, entry, previous }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bytes::Bytes;
    use proto::store::{Labels, Value};

    use super::*;

    fn key(name: &str) -> Key {
        Key { group: "g".into(), resource: "r".into(), namespace: "n".into(), name: name.into() }
    }

    fn content(uid: &str, json: &'static str) -> Arc<Content> {
        let value = Value { json: Bytes::from_static(json.as_bytes()), splice: 0, schema: "s".into() };
        Arc::new(Content { uid: uid.into(), labels: Labels::new(), fields: Labels::new(), value })
    }

    fn stored(content: &Content) -> Stored {
        Stored::new(&content.value.json, usize::MAX)
    }

    fn create(name: &str, uid: &str) -> Prepared {
        let content = content(uid, "{}");
        Prepared { key: key(name), op: PreparedOp::Create(content.clone(), stored(&content)) }
    }

    fn update(name: &str, json: &'static str, expect: Expect) -> Prepared {
        let content = content("u", json);
        Prepared { key: key(name), op: PreparedOp::Update(content.clone(), stored(&content), expect) }
    }

    fn delete(name: &str, expect: Expect) -> Prepared {
        Prepared { key: key(name), op: PreparedOp::Delete(expect) }
    }

    fn at(revision: Revision) -> Expect {
        Expect { revision: Some(revision), uid: None }
    }

    fn uid(uid: &str) -> Expect {
        Expect { revision: None, uid: Some(uid.into()) }
    }

    fn live(revision: Revision, uid: &str) -> Current {
        Current { revision, content: Some(content(uid, "old")) }
    }

    /// Outcomes, shortened: the revision made, or the name of the error.
    fn outcomes(plan: &Plan) -> Vec<String> {
        plan.outcomes
            .iter()
            .map(|outcome| match outcome {
                Ok(revision) => revision.to_string(),
                Err(error) => format!("{error:?}").split(' ').next().unwrap().to_owned(),
            })
            .collect()
    }

    #[test]
    fn each_write_is_decided_against_what_those_before_it_left() {
        let any = Expect::default;
        let cases: Vec<(&str, Vec<Prepared>, Vec<&str>)> = vec![
            ("nothing", vec![], vec![]),
            ("one creation wins", vec![create("a", "u"), create("a", "v")], vec!["11", "AlreadyExists"]),
            (
                "create, update, delete, create",
                vec![create("a", "u"), update("a", "1", at(11)), delete("a", at(12)), create("a", "v")],
                vec!["11", "12", "13", "14"],
            ),
            (
                "one winner of a compare and set",
                vec![update("old", "1", at(7)), update("old", "2", at(7))],
                vec!["11", "Conflict"],
            ),
            ("a loser takes no revision", vec![update("old", "1", at(6)), create("a", "u")], vec!["Conflict", "11"]),
            ("what is not there", vec![update("a", "1", any()), delete("a", any())], vec!["NotFound", "NotFound"]),
            ("deleted before", vec![update("gone", "1", any()), create("gone", "u")], vec!["NotFound", "11"]),
            ("by uid", vec![delete("old", uid("other")), delete("old", uid("u"))], vec!["Conflict", "11"]),
            ("deleted in the batch", vec![delete("old", any()), update("old", "1", any())], vec!["11", "NotFound"]),
        ];
        for (name, writes, expected) in cases {
            let current =
                HashMap::from([(key("old"), live(7, "u")), (key("gone"), Current { revision: 8, content: None })]);
            assert_eq!(outcomes(&plan(10, current, writes)), expected, "{name}");
        }
    }

    #[test]
    fn records_link_to_the_one_before_them() {
        let current = HashMap::from([(key("gone"), Current { revision: 8, content: None })]);
        let writes = [create("a", "u"), create("gone", "u"), update("a", "1", Expect::default()), delete("a", at(13))];
        let plan = plan(10, current, writes);
        let links: Vec<_> = plan.records.iter().map(|record| (record.revision, record.previous)).collect();
        assert_eq!(links, [(11, 0), (12, 8), (13, 11), (14, 13)]);
    }

    #[test]
    fn events_carry_what_was_before_an_update_and_what_was_last_before_a_deletion() {
        let current = HashMap::from([(key("old"), live(7, "u"))]);
        let plan = plan(10, current, [update("old", "new", at(7)), delete("old", at(11)), create("old", "v")]);
        let events = plan.events();
        let json = |content: &Content| String::from_utf8(content.value.json.to_vec()).unwrap();
        let previous = events[0].previous.as_ref().unwrap();
        assert_eq!((previous.revision, json(&previous.content)), (7, "old".into()));
        assert_eq!((events[1].change, events[1].entry.revision), (Change::Deleted, 12));
        assert_eq!((json(&events[1].entry.content), &events[1].previous), ("new".into(), &None));
        assert_eq!((events[2].change, &events[2].previous), (Change::Created, &None));
    }

    #[test]
    fn a_conflict_says_what_is_there() {
        let current = HashMap::from([(key("old"), live(7, "u"))]);
        let plan = plan(10, current, [update("old", "1", at(3))]);
        let expected = Error::Conflict { key: key("old"), expected: at(3), uid: "u".into(), revision: 7 };
        assert_eq!(plan.outcomes, [Err(expected)]);
        assert!(plan.records.is_empty());
    }
}
