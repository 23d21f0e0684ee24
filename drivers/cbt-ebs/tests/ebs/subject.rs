//! The shared suite's subject: pages are so small that every list has several.

use std::ops::Range;

use async_trait::async_trait;
use ebs_stub::{BLOCK_SIZE, data};
use proto::cbt::{ChangedBlocks, suite::Truth};

use crate::support::{BASE, BLOCKS, Bench, FOREIGN, Map, TARGET, UNKNOWN, handle, map};

pub(crate) struct Subject {
    bench: Bench,
    truth: Truth,
    target: Map,
}

// === impl Subject ===

impl Subject {
    pub(crate) async fn new() -> Self {
        let base: Map = map((0..8).chain(100..116).chain(2000..2010), 1);
        let mut target = base.clone();
        target.extend(map((3..5).chain(110..118).chain([700, BLOCKS - 1]), 2));
        let size = u64::from(BLOCK_SIZE);
        let bytes =
            |indices: Vec<u32>| indices.into_iter().map(|index| u64::from(index) * size..u64::from(index + 1) * size);
        let changed =
            target.iter().filter(|(index, seed)| base.get(index) != Some(seed)).map(|(index, _)| *index).collect();
        let mut truth = Truth::new(handle(BASE), handle(TARGET), 1 << 30, size);
        truth.foreign = Some(handle(FOREIGN));
        truth.unknown = handle(UNKNOWN);
        truth.allocated = bytes(target.keys().copied().collect()).collect();
        truth.changed = bytes(changed).collect();
        let bench = Bench::new(base, target.clone()).await;
        bench.stub.set(|settings| settings.page = 3);
        Self { bench, truth, target }
    }
}

#[async_trait]
impl proto::cbt::suite::Subject for Subject {
    fn blocks(&self) -> &dyn ChangedBlocks {
        &self.bench.driver
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, range: Range<u64>) -> Vec<u8> {
        let size = u64::from(BLOCK_SIZE);
        let block = |index: u64| {
            let seed = u32::try_from(index).ok().and_then(|index| self.target.get(&index));
            seed.map_or_else(|| vec![0; BLOCK_SIZE as usize], |seed| data(*seed))
        };
        let blocks = range.start / size..range.end.div_ceil(size);
        let whole: Vec<u8> = blocks.clone().flat_map(block).collect();
        let first = blocks.start * size;
        whole[(range.start - first) as usize..(range.end - first) as usize].to_vec()
    }
}
