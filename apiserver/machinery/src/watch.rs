//! Watch events on the wire: one JSON object on a line, `{"type":"ADDED","object":…}`.

use bytes::{BufMut, BytesMut};

/// Begins an event; the object follows, then [`end`].
pub fn begin(kind: &str, out: &mut BytesMut) {
    out.put_slice(b"{\"type\":\"");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\",\"object\":");
}

/// Ends an event.
pub fn end(out: &mut BytesMut) {
    out.put_slice(b"}\n");
}

/// A whole event of `kind` with `object`, which is JSON.
///
/// ```
/// let frame = machinery::watch::frame("BOOKMARK", b"{}");
/// assert_eq!(&frame[..], b"{\"type\":\"BOOKMARK\",\"object\":{}}\n");
/// ```
pub fn frame(kind: &str, object: &[u8]) -> BytesMut {
    let mut out = BytesMut::with_capacity(object.len() + 32);
    begin(kind, &mut out);
    out.put_slice(object);
    end(&mut out);
    out
}
