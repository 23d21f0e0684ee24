//! Which restarts that have ended are kept.

use std::{collections::BTreeMap, time::Duration};

use crate::{records::Kept, time::Time};

/// How long they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// So many of each node.
    pub per_node: usize,
    /// For so long.
    pub age: Duration,
}

// === impl Retention ===

impl Retention {
    /// Those that are to be removed. The last of a node stays: its number is the next one's.
    pub(crate) fn spent(&self, all: Vec<Kept>, now: Time) -> Vec<Kept> {
        let mut by_node: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
        for kept in all {
            by_node.entry(kept.restart.spec.node_name.clone()).or_default().push(kept);
        }
        by_node.into_values().flat_map(|of_node| self.spent_of_node(of_node, now)).collect()
    }

    fn spent_of_node(&self, mut of_node: Vec<Kept>, now: Time) -> Vec<Kept> {
        of_node.sort_by_key(|kept| std::cmp::Reverse((kept.restart.created(), kept.revision)));
        let ended = of_node.into_iter().skip(1).filter(|kept| kept.restart.ended()).enumerate();
        let spent = |(index, kept): &(usize, Kept)| {
            let ended = kept.restart.status.ended_at.unwrap_or_default();
            index + 1 >= self.per_node || now.since(ended) > self.age
        };
        ended.filter(spent).map(|(_, kept)| kept).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_restart::{NodeRestart, Phase, Spec};

    fn kept(node: &str, number: i64, phase: Phase) -> Kept {
        let mut restart =
            NodeRestart::new(Spec { node_name: node.into(), ..Spec::default() }, Time::from_unix(number * 100));
        restart.metadata.name = format!("{node}-{number}");
        restart.status.phase = phase;
        restart.status.ended_at = phase.is_end().then(|| Time::from_unix(number * 100 + 50));
        Kept { revision: 1, restart }
    }

    fn spent(retention: Retention, all: &[Kept], now: i64) -> Vec<String> {
        let spent = retention.spent(all.to_vec(), Time::from_unix(now));
        spent.into_iter().map(|kept| kept.restart.metadata.name).collect()
    }

    #[test]
    fn the_oldest_that_have_ended_go_and_the_last_stays() {
        let all = [
            kept("a", 1, Phase::Succeeded),
            kept("a", 2, Phase::Failed),
            kept("a", 3, Phase::Unknown),
            kept("b", 1, Phase::Succeeded),
            kept("c", 1, Phase::Sent),
            kept("c", 2, Phase::Accepted),
        ];
        let long = Duration::from_secs(1_000_000);
        assert_eq!(spent(Retention { per_node: 2, age: long }, &all, 1000), ["a-1"]);
        assert_eq!(spent(Retention { per_node: 0, age: long }, &all, 1000), ["a-2", "a-1"]);
        assert_eq!(spent(Retention { per_node: 9, age: Duration::from_secs(100) }, &all, 300), ["a-1"]);
        assert_eq!(spent(Retention { per_node: 9, age: long }, &all, 1000), [""; 0]);
    }
}
