//! Random snapshots against a brute-force compare.

use ebs_stub::PastTheEnd;

use crate::support::{BLOCKS, Bench, Map, Random, allocated, delta};

/// A few runs of blocks, each written anew.
fn scribble(map: &mut Map, random: &mut Random) {
    for _ in 0..random.below(12) {
        let start = random.below(BLOCKS.into());
        let end = (start + 1 + random.below(60)).min(BLOCKS.into());
        let seed = random.below(1 << 30);
        map.extend((start..end).map(|index| (index as u32, seed)));
    }
}

#[tokio::test]
async fn lists_are_what_a_compare_of_all_blocks_says() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let (mut base, mut target) = (Map::new(), Map::new());
        scribble(&mut base, &mut random);
        if random.below(4) > 0 {
            target.clone_from(&base);
        }
        scribble(&mut target, &mut random);
        let bench = Bench::new(base.clone(), target.clone()).await;
        let (page, empty_last_page) = (1 + random.below(50) as usize, random.below(2) == 0);
        bench.stub.set(|settings| {
            settings.page = page;
            settings.empty_last_page = empty_last_page;
            settings.past_the_end = if seed % 2 == 0 { PastTheEnd::Empty } else { PastTheEnd::Refused };
        });
        let written: Vec<u32> = (0..BLOCKS).filter(|index| target.contains_key(index)).collect();
        let changed: Vec<u32> = (0..BLOCKS).filter(|index| base.get(index) != target.get(index)).collect();
        for (query, truth) in [(allocated(), written), (delta(), changed)] {
            assert_eq!(bench.list(query.clone()).await, Ok(truth.clone()), "seed {seed}");
            let start = random.below(u64::from(BLOCKS) + 1);
            let rest: Vec<u32> = truth.into_iter().filter(|index| u64::from(*index) >= start).collect();
            assert_eq!(bench.list(proto::cbt::Query { start, ..query }).await, Ok(rest), "seed {seed} from {start}");
        }
    }
}
