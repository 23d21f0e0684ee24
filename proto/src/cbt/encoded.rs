//! A message that passes unread: what the generated code of a service takes and gives in place of a decoded one.

use bytes::{Buf, BufMut, Bytes};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, skip_field},
};

use super::Blocks;

/// An encoded message, whole. [`Blocks::decode`] reads it.
///
/// It stands for `BlocksResponse`, and for the responses of the SnapshotMetadata services of CSI and of Kubernetes,
/// which have the same encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded(pub Bytes);

// === impl Encoded ===

impl From<Blocks> for Encoded {
    fn from(blocks: Blocks) -> Self {
        Self(blocks.encoded)
    }
}

impl Message for Encoded {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    /// Unreached, as it is never part of another message: [`Message::merge`] takes it whole.
    fn merge_field(
        &mut self,
        number: u32,
        wire: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire, number, buf, context)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn decode(mut buf: impl Buf) -> Result<Self, DecodeError> {
        Ok(Self(buf.copy_to_bytes(buf.remaining())))
    }

    fn merge(&mut self, mut buf: impl Buf) -> Result<(), DecodeError> {
        self.0 = buf.copy_to_bytes(buf.remaining());
        Ok(())
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
