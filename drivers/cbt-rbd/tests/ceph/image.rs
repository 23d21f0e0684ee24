//! An image whose content is known: what is written to it goes by `rbd import-diff`, and is remembered.

use std::ops::Range;

use anyhow::Result;

use crate::cluster::Cluster;

/// An image in a cluster.
pub(crate) struct Image<'a> {
    cluster: &'a Cluster,
    /// `pool/[namespace/]image`
    pub(crate) spec: String,
}

/// Something done to an image.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// These bytes at an offset.
    Write(u64, Vec<u8>),
    /// Zeros, which takes whole objects away.
    Zero(Range<u64>),
}

// === impl Image ===

impl<'a> Image<'a> {
    /// Makes one.
    pub(crate) fn create(cluster: &'a Cluster, spec: &str, size: u64, flags: &[&str]) -> Result<Self> {
        let size = format!("{size}B");
        cluster.rbd(&[&["create", "--size", &size, spec], flags].concat())?;
        Ok(Self { cluster, spec: spec.to_owned() })
    }

    /// One that is there.
    pub(crate) fn existing(cluster: &'a Cluster, spec: &str) -> Self {
        Self { cluster, spec: spec.to_owned() }
    }

    /// Changes it, and makes a snapshot of the outcome.
    pub(crate) fn change(&self, size: u64, changes: &[Change], snapshot: &str) -> Result<()> {
        let mut diff = b"rbd diff v1\nt".to_vec();
        diff.extend((snapshot.len() as u32).to_le_bytes());
        diff.extend(snapshot.as_bytes());
        diff.push(b's');
        diff.extend(size.to_le_bytes());
        for change in changes {
            let (tag, start, length, data) = match change {
                Change::Write(offset, data) => (b'w', *offset, data.len() as u64, data.as_slice()),
                Change::Zero(range) => (b'z', range.start, range.end - range.start, &[][..]),
            };
            diff.push(tag);
            diff.extend(start.to_le_bytes());
            diff.extend(length.to_le_bytes());
            diff.extend(data);
        }
        diff.push(b'e');
        self.cluster.rbd_with(&["import-diff", "--no-progress", "-", &self.spec], &diff)?;
        Ok(())
    }

    /// The handle of a snapshot.
    pub(crate) fn handle(&self, snapshot: &str) -> String {
        format!("{}@{snapshot}", self.spec)
    }

    /// All that a snapshot has.
    pub(crate) fn content(&self, snapshot: &str) -> Result<Vec<u8>> {
        self.cluster.rbd(&["export", "--no-progress", &self.handle(snapshot), "-"])
    }

    /// What `rbd diff` says to people.
    pub(crate) fn plain_diff(&self, base: Option<&str>, target: &str) -> Result<Vec<Range<u64>>> {
        let from = base.map(|base| format!("--from-snap={base}"));
        let handle = self.handle(target);
        let mut args = vec!["diff", handle.as_str()];
        args.extend(from.as_deref());
        let text = String::from_utf8(self.cluster.rbd(&args)?)?;
        let rows = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let rows = rows.filter(|row| base.is_some() || row[2] == "data");
        rows.map(|row| {
            let start: u64 = row[0].parse()?;
            Ok(start..start + row[1].parse::<u64>()?)
        })
        .collect()
    }
}
