//! HTTP/2 frame by frame, for what no client of good manners sends.

use std::time::Duration;

use anyhow::{Context as _, Result};
use kit::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

/// Types of frames (RFC 9113, section 6).
pub mod kind {
    /// A part of a body.
    pub const DATA: u8 = 0;
    /// A request or an answer.
    pub const HEADERS: u8 = 1;
    /// The end of a stream before its time.
    pub const RST_STREAM: u8 = 3;
    /// What a side can take.
    pub const SETTINGS: u8 = 4;
    /// Are you there?
    pub const PING: u8 = 6;
    /// No more requests.
    pub const GOAWAY: u8 = 7;
    /// More headers.
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub mod flag {
    /// Of HEADERS and DATA: nothing follows on the stream.
    pub const END_STREAM: u8 = 1;
    /// Of PING and SETTINGS: an answer.
    pub const ACK: u8 = 1;
    /// Of HEADERS and CONTINUATION: all headers are there.
    pub const END_HEADERS: u8 = 4;
}

type Stream = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// The stream; 0 is the connection.
    pub stream: u32,
    /// What it says.
    pub payload: Vec<u8>,
}

/// What is sent.
#[derive(Debug)]
pub struct Sender(WriteHalf<Stream>);

/// What is received.
#[derive(Debug)]
pub struct Receiver(ReadHalf<Stream>);

/// Opens a connection; nothing but the preface and empty settings have been sent.
pub async fn open(client: &Client) -> Result<(Sender, Receiver)> {
    let (receiving, mut sending) = split(client.raw("h2").await?);
    sending.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.context("sending the preface")?;
    let mut sender = Sender(sending);
    sender.send(kind::SETTINGS, 0, 0, &[]).await?;
    Ok((sender, Receiver(receiving)))
}

/// A frame as bytes.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Headers as HPACK has them, none of them indexed.
#[must_use]
pub fn headers(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(0);
        for text in [name, value] {
            length(text.len(), &mut block);
            block.extend(text.as_bytes());
        }
    }
    block
}

/// The headers of a GET.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    headers(&[(":method", "GET"), (":scheme", "https"), (":authority", "127.0.0.1"), (":path", path)])
}

/// An integer with a prefix of seven bits.
fn length(mut length: usize, block: &mut Vec<u8>) {
    if length < 127 {
        return block.push(u8::try_from(length).unwrap_or_default());
    }
    block.push(127);
    length -= 127;
    while length >= 128 {
        block.push(u8::try_from(length % 128 + 128).unwrap_or_default());
        length /= 128;
    }
    block.push(u8::try_from(length).unwrap_or_default());
}

// === impl Sender ===

impl Sender {
    /// Sends a frame.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        self.write(&frame(kind, flags, stream, payload)).await
    }

    /// Sends a GET.
    pub async fn get(&mut self, stream: u32, path: &str) -> Result<()> {
        self.send(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, stream, &get(path)).await
    }

    /// Sends bytes; an error when the server has closed, or takes nothing for ten seconds.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let write = async {
            self.0.write_all(bytes).await?;
            self.0.flush().await
        };
        timeout(Duration::from_secs(10), write).await.context("the server takes nothing more")?.context("sending")
    }
}

// === impl Receiver ===

impl Receiver {
    /// The next frame; `None` when the server has closed.
    pub async fn next(&mut self) -> Result<Option<Frame>> {
        let read = async {
            let mut head = [0; 9];
            if self.0.read_exact(&mut head).await.is_err() {
                return None;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
            let mut payload = vec![0; usize::try_from(length).ok()?];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind: head[3], flags: head[4], stream, payload })
        };
        timeout(Duration::from_secs(60), read).await.context("no frame within a minute")
    }

    /// The next frame of a type, whatever comes before; `None` when the server closes without it.
    pub async fn find(&mut self, kind: u8) -> Result<Option<Frame>> {
        while let Some(frame) = self.next().await? {
            if frame.kind == kind {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Everything until the server closes, or for ever.
    pub async fn drain(mut self) {
        while let Ok(Some(_)) = self.next().await {}
    }
}
