//! The GET of an object with its blocks, streamed.
//!
//! The answer begins when the driver has said something: what it refuses is a Status. Then each message is written as it
//! comes, and the next one is asked for when the client has taken it. A client that goes away drops the driver's stream.

use std::time::Duration;

use apiserver::{Call, Uncompressed};
use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use http::{Response, StatusCode};
use machinery::status::Status;
use proto::cbt::{Blocks, Checker, Error, Result};

use super::{
    authorize,
    delta::Delta,
    driver::Drivers,
    envelope::Envelope,
    page::Page,
    representation::Representation,
    subject,
    summary::{Summary, Tally},
};
use crate::{
    entries::Encoder,
    refusal::{self, Subject},
};

/// Breaking a connection discards what still waits to be sent: last words get so long to be on their way.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub(super) async fn fetch(
    drivers: &Drivers,
    call: &Call<'_>,
    page: Page,
) -> std::result::Result<Response<Body>, Status> {
    let representation = Representation::choose(call.accept(), call.pretty())?;
    authorize(call).await?;
    let object = call.stored().await?;
    let (subject, summary) = (subject(call), Summary::new(drivers, call.status_writer(), &object, page));
    let query = Delta::of(&object).query(page);
    let checker = Checker::new(&query);
    let failed = |error: Error| refusal::status(&subject, &error);
    let mut blocks = drivers.source.blocks(query).await.map_err(failed)?;
    let first = blocks.next().await.transpose().map_err(failed)?;
    let capacity = first.as_ref().map_or(0, Blocks::capacity);
    let writer = Writer::new(representation, Envelope::new(representation, object, capacity));
    let mut listing = Listing { writer, checker, tally: Tally::default(), summary, subject };
    let begin = listing.begin(first.as_ref()).map_err(|error| refusal::status(&listing.subject, &error))?;
    let media_type = representation.media_type();
    let mut response = call.bytes(StatusCode::OK, media_type, Body::from_stream(listing.run(begin, blocks)));
    response.extensions_mut().insert(Uncompressed);
    Ok(response)
}

/// A list on its way.
struct Listing {
    writer: Writer,
    checker: Checker,
    tally: Tally,
    summary: Summary,
    subject: Subject,
}

/// Makes bytes of messages.
struct Writer {
    representation: Representation,
    encoder: Option<Encoder>,
    envelope: Envelope,
}

// === impl Listing ===

impl Listing {
    /// What is sent at once: the object up to its blocks, and the first of them.
    fn begin(&mut self, first: Option<&Blocks>) -> Result<Bytes> {
        let mut out = std::mem::take(&mut self.writer.envelope.before);
        if let Some(blocks) = first {
            self.add(blocks, &mut out)?;
        }
        Ok(out.into())
    }

    fn add(&mut self, blocks: &Blocks, out: &mut Vec<u8>) -> Result<()> {
        self.checker.check(blocks)?;
        self.tally.add(blocks);
        self.writer.write(blocks, out)
    }

    fn run(
        mut self,
        begin: Bytes,
        mut blocks: BoxStream<'static, Result<Blocks>>,
    ) -> impl Stream<Item = std::result::Result<Bytes, Error>> {
        async_stream::try_stream! {
            yield begin;
            let broken = loop {
                let mut out = Vec::new();
                match blocks.next().await {
                    Some(Ok(message)) => {
                        let added = self.add(&message, &mut out);
                        if !out.is_empty() {
                            yield out.into();
                        }
                        if let Err(error) = added {
                            break Some(error);
                        }
                    }
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            };
            // The driver is done with, whatever happens to the rest.
            drop(blocks);
            match broken {
                None => {
                    self.summary.write(&self.tally).await;
                    yield self.writer.end();
                }
                Some(error) => {
                    let status = refusal::status(&self.subject, &error);
                    if self.writer.representation == Representation::Lines {
                        yield last_line(&status);
                        tokio::time::sleep(LAST_WORDS).await;
                    }
                    Err(error)?;
                }
            }
        }
    }
}

fn last_line(status: &Status) -> Bytes {
    [&b"{\"error\":"[..], &status.to_json(), b"}\n"].concat().into()
}

// === impl Writer ===

impl Writer {
    fn new(representation: Representation, envelope: Envelope) -> Self {
        Self { representation, encoder: representation.style().map(Encoder::new), envelope }
    }

    fn write(&mut self, blocks: &Blocks, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.encoder {
            Some(encoder) => encoder.write(blocks, out),
            None => {
                frame(blocks.encoded(), out);
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Bytes {
        let mut out = Vec::new();
        if let Some(encoder) = &self.encoder {
            encoder.end(&mut out);
        }
        out.append(&mut self.envelope.after);
        out.into()
    }
}

/// A message after its length as a varint.
fn frame(message: &Bytes, out: &mut Vec<u8>) {
    out.reserve(message.len() + 10);
    let mut length = message.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(message);
}
