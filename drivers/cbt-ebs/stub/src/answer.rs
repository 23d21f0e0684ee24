//! The three calls.

use std::{iter::Peekable, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    Snapshot, Trouble,
    model::Request,
    refusal::Refusal,
    snapshot::{BLOCK_SIZE, data},
    state::{PastTheEnd, State},
};

/// A good answer.
pub(crate) enum Answer {
    Page(Value),
    Block { data: Vec<u8>, checksum: String },
}

/// A block that is written in one snapshot or both, with what its data are made from.
type Pair = (u32, Option<u64>, Option<u64>);

// === impl State ===

impl State {
    /// Answers a request that the model allows.
    pub(crate) fn answer(&mut self, request: &Request, trouble: Option<&Trouble>) -> Result<Answer, Refusal> {
        let member = |name: &str| request.members.get(name).map(String::as_str);
        let page = match request.operation.as_str() {
            "ListSnapshotBlocks" => {
                let snapshot = self.snapshot(member("SnapshotId"))?;
                self.page(request, None, &snapshot, trouble)?
            }
            "ListChangedBlocks" => {
                let second = self.snapshot(member("SecondSnapshotId"))?;
                let first = self.snapshot(member("FirstSnapshotId"))?;
                if first.volume != second.volume {
                    let message = format!("{} and {} are not of one volume", first.id, second.id);
                    return Err(Refusal::validation("UNRELATED_SNAPSHOTS", message));
                }
                self.page(request, Some(&first), &second, trouble)?
            }
            "GetSnapshotBlock" => return self.block(request, trouble),
            other => panic!("the stub does not serve {other}"),
        };
        if let Err(why) = self.model.check(&request.operation, &page) {
            panic!("an answer that the model does not allow: {why}");
        }
        Ok(Answer::Page(page))
    }

    fn snapshot(&self, id: Option<&str>) -> Result<Arc<Snapshot>, Refusal> {
        let id = id.ok_or_else(|| Refusal::validation("INVALID_PARAMETER_VALUE", "both snapshots must be given"))?;
        let snapshot = self.snapshots.get(id).cloned().ok_or_else(|| {
            let message = format!("The snapshot '{id}' does not exist.");
            Refusal::new(404, "ResourceNotFoundException", Some("SNAPSHOT_NOT_FOUND"), message)
        })?;
        if !snapshot.completed {
            return Err(Refusal::validation("INVALID_SNAPSHOT_ID", format!("The snapshot '{id}' is pending.")));
        }
        Ok(snapshot)
    }

    fn page(
        &mut self,
        request: &Request,
        first: Option<&Arc<Snapshot>>,
        second: &Arc<Snapshot>,
        trouble: Option<&Trouble>,
    ) -> Result<Value, Refusal> {
        let subject = format!("{}/{}", first.map_or("", |first| &first.id), second.id);
        let asked = request.members.get("NextToken");
        let position = match asked {
            Some(token) => self.position(token, &subject)?,
            None => self.start(request, second)?,
        };
        let most: usize =
            request.members.get("MaxResults").map_or(100, |most| most.parse().expect("the model was checked"));
        let most = if trouble == Some(&Trouble::Empty) { 0 } else { most.min(self.settings.page) };
        let mut written = written(first.map(AsRef::as_ref), second, position).peekable();
        let covered: Vec<Pair> = written.by_ref().take(most).collect();
        let more = written.peek().is_some() || (self.settings.empty_last_page && !covered.is_empty());
        let reached = covered.last().map_or(position, |(index, ..)| index + 1);
        let next = match trouble {
            Some(Trouble::Loop) => asked.cloned(),
            _ => more.then(|| self.page_token(&subject, reached)),
        };
        let listed = covered.into_iter().filter(|(_, first, second)| first != second);
        let mut blocks: Vec<Value> = listed.map(|pair| self.entry(first, second, pair)).collect();
        let mut gib = second.gib;
        match trouble {
            Some(Trouble::Disorder) => blocks.rotate_right(1),
            Some(Trouble::Beyond) => blocks.last_mut().expect("a block to move")["BlockIndex"] = json!(second.blocks()),
            Some(Trouble::Resized) => gib += 1,
            _ => {}
        }
        let list = if first.is_some() { "ChangedBlocks" } else { "Blocks" };
        let mut page = json!({
            list: blocks,
            "ExpiryTime": self.now() + self.settings.block_tokens.as_secs(),
            "VolumeSize": gib,
            "BlockSize": BLOCK_SIZE,
        });
        if let Some(next) = next {
            page["NextToken"] = json!(next);
        }
        Ok(page)
    }

    /// Where a page begins that is asked for by its first block.
    fn start(&self, request: &Request, snapshot: &Snapshot) -> Result<u32, Refusal> {
        let start =
            request.members.get("StartingBlockIndex").map_or(0, |start| start.parse().expect("the model was checked"));
        if start >= snapshot.blocks() && self.settings.past_the_end == PastTheEnd::Refused {
            let message = format!("StartingBlockIndex {start} is past the end of the volume");
            return Err(Refusal::validation("INVALID_PARAMETER_VALUE", message));
        }
        Ok(start)
    }

    /// Where a page begins that is asked for by a token.
    fn position(&self, token: &str, subject: &str) -> Result<u32, Refusal> {
        let good = self.mint.fields(token).and_then(|fields| match &fields[..] {
            [kind, of, position, _, issued] if kind == "page" && of == subject => {
                let age = self.now() - issued.parse::<u64>().ok()?;
                (age < self.settings.page_tokens.as_secs()).then(|| position.parse().ok())?
            }
            _ => None,
        });
        good.ok_or_else(|| Refusal::validation("INVALID_PAGE_TOKEN", "The page token is not valid, or has expired."))
    }

    fn page_token(&self, subject: &str, position: u32) -> String {
        // No two are the same.
        let number = self.calls.len();
        self.mint.token(&["page", subject, &position.to_string(), &number.to_string(), &self.now().to_string()])
    }

    fn block_token(&self, snapshot: &Snapshot, index: u32) -> String {
        self.mint.token(&["block", &snapshot.id, &index.to_string(), &self.now().to_string()])
    }

    fn entry(&self, first: Option<&Arc<Snapshot>>, second: &Snapshot, (index, before, after): Pair) -> Value {
        let mut entry = json!({ "BlockIndex": index });
        let Some(first) = first else {
            entry["BlockToken"] = json!(self.block_token(second, index));
            return entry;
        };
        for (name, snapshot, there) in [("FirstBlockToken", &**first, before), ("SecondBlockToken", second, after)] {
            if there.is_some() {
                entry[name] = json!(self.block_token(snapshot, index));
            }
        }
        entry
    }

    fn block(&self, request: &Request, trouble: Option<&Trouble>) -> Result<Answer, Refusal> {
        let snapshot = self.snapshot(request.members.get("SnapshotId").map(String::as_str))?;
        let index = &request.members["BlockIndex"];
        let seed = self.mint.fields(&request.members["BlockToken"]).and_then(|fields| match &fields[..] {
            [kind, of, block, issued] if kind == "block" && *of == snapshot.id && block == index => {
                let age = self.now() - issued.parse::<u64>().ok()?;
                let index = block.parse().ok()?;
                (age < self.settings.block_tokens.as_secs()).then(|| snapshot.written.get(index))?
            }
            _ => None,
        });
        let seed = seed.ok_or_else(|| {
            Refusal::validation("INVALID_BLOCK_TOKEN", "The block token is not valid, or has expired.")
        })?;
        let mut data = data(seed);
        let checksum = STANDARD.encode(Sha256::digest(&data));
        match trouble {
            Some(Trouble::Corrupt) => data[12_345] ^= 1,
            Some(Trouble::Short) => data.truncate(4096),
            _ => {}
        }
        Ok(Answer::Block { data, checksum })
    }
}

/// What either snapshot has from an index on, in order. Without a first one everything differs.
fn written<'a>(first: Option<&'a Snapshot>, second: &'a Snapshot, from: u32) -> impl Iterator<Item = Pair> + use<'a> {
    let none: Box<dyn Iterator<Item = (u32, u64)>> = Box::new(std::iter::empty());
    let mut first = first.map_or(none, |first| first.written.from(from)).peekable();
    let mut second = second.written.from(from).peekable();
    std::iter::from_fn(move || {
        let index = [first.peek(), second.peek()].into_iter().flatten().map(|(index, _)| *index).min()?;
        Some((index, at(&mut first, index), at(&mut second, index)))
    })
}

fn at(blocks: &mut Peekable<impl Iterator<Item = (u32, u64)>>, index: u32) -> Option<u64> {
    blocks.next_if(|(other, _)| *other == index).map(|(_, seed)| seed)
}
