//! The data of blocks, in pieces.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use proto::cbt::{Data, Result};

use crate::{image::Image, stream::Produce};

/// The largest piece, in bytes: the seam's limit.
const PIECE: u64 = 1 << 20;

/// Reads ranges of an image, one after the other.
pub(crate) struct Pieces {
    image: Arc<dyn Image>,
    left: VecDeque<Range<u64>>,
}

// === impl Pieces ===

impl Pieces {
    /// What of the ranges lies beyond the image's end is left out.
    pub(crate) fn new(image: Arc<dyn Image>, ranges: Vec<Range<u64>>) -> Self {
        let size = image.size();
        let inside = |range: Range<u64>| range.start.min(size)..range.end.min(size);
        Self { image, left: ranges.into_iter().map(inside).filter(|range| !range.is_empty()).collect() }
    }
}

impl Produce for Pieces {
    type Item = Data;

    fn next(&mut self) -> Result<Option<Data>> {
        let Some(range) = self.left.front_mut() else { return Ok(None) };
        let (offset, size) = (range.start, PIECE.min(range.end - range.start));
        range.start += size;
        if range.is_empty() {
            self.left.pop_front();
        }
        let mut bytes = vec![0; size as usize];
        self.image.read(offset, &mut bytes)?;
        self.image.check()?;
        Ok(Some(Data { offset, bytes: bytes.into() }))
    }
}
