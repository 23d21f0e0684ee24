//! Messages: what is made, prost reads; what prost reads, is read; and nothing else is, whatever it is.

use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};
use proto::cbt::{Block, Blocks, Builder, Error, Kind};

/// The message as prost has it.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(int64, tag = "2")]
    capacity: i64,
    #[prost(message, repeated, tag = "3")]
    entries: Vec<Entry>,
    #[prost(int64, tag = "16")]
    issued: i64,
    #[prost(int64, tag = "17")]
    ttl: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(int64, tag = "1")]
    offset: i64,
    #[prost(int64, tag = "2")]
    size: i64,
    #[prost(bytes = "vec", tag = "16")]
    token: Vec<u8>,
}

/// A field on the wire, known or not.
#[derive(Debug, Clone)]
enum Field {
    Number(u32, i64),
    Bytes(u32, Vec<u8>),
    Fixed32(u32),
    Fixed64(u32),
    Group(u32),
    Entry(Vec<Field>),
}

fn encode(fields: &[Field], into: &mut Vec<u8>) {
    for field in fields {
        match field {
            Field::Number(number, value) => {
                encode_key(*number, WireType::Varint, into);
                encode_varint(value.cast_unsigned(), into);
            }
            Field::Bytes(number, bytes) => {
                encode_key(*number, WireType::LengthDelimited, into);
                encode_varint(bytes.len() as u64, into);
                into.extend_from_slice(bytes);
            }
            Field::Fixed32(number) => {
                encode_key(*number, WireType::ThirtyTwoBit, into);
                into.extend_from_slice(&[1; 4]);
            }
            Field::Fixed64(number) => {
                encode_key(*number, WireType::SixtyFourBit, into);
                into.extend_from_slice(&[1; 8]);
            }
            Field::Group(number) => {
                encode_key(*number, WireType::StartGroup, into);
                encode(&[Field::Number(5, 1)], into);
                encode_key(*number, WireType::EndGroup, into);
            }
            Field::Entry(fields) => {
                let mut inner = Vec::new();
                encode(fields, &mut inner);
                encode(&[Field::Bytes(3, inner)], into);
            }
        }
    }
}

/// Numbers of every length, some of them negative.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![8 => (0u32..63, any::<i64>()).prop_map(|(bits, value)| value & ((1 << bits) - 1)), 1 => any::<i64>()]
}

fn unknown() -> impl Strategy<Value = Field> {
    let tag = prop_oneof![4u32..16, 18u32..1 << 29];
    (tag, number(), vec(any::<u8>(), 0..9), 0..5).prop_map(|(tag, value, bytes, wire)| match wire {
        0 => Field::Number(tag, value),
        1 => Field::Bytes(tag, bytes),
        2 => Field::Fixed32(tag),
        3 => Field::Fixed64(tag),
        _ => Field::Group(tag),
    })
}

fn entry() -> impl Strategy<Value = Field> {
    let field = prop_oneof![
        4 => number().prop_map(|value| Field::Number(1, value)),
        8 => number().prop_map(|value| Field::Number(2, value)),
        2 => vec(any::<u8>(), 0..200).prop_map(|token| Field::Bytes(16, token)),
        1 => unknown(),
    ];
    vec(field, 0..5).prop_map(Field::Entry)
}

/// A message in any order, with anything that may be in one, often more than once.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        2 => prop_oneof![0i64..4, any::<i64>()].prop_map(|kind| Field::Number(1, kind)),
        1 => number().prop_map(|value| Field::Number(2, value)),
        6 => entry(),
        1 => (16u32..18, number()).prop_map(|(tag, value)| Field::Number(tag, value)),
        1 => unknown(),
    ];
    vec(field, 0..12).prop_map(|fields| {
        let mut encoded = Vec::new();
        encode(&fields, &mut encoded);
        encoded
    })
}

/// What prost reads, if it may stand in a stream.
fn by_prost(message: &[u8]) -> Option<Response> {
    let response = Response::decode(message).ok()?;
    let numbers = [response.capacity, response.issued, response.ttl];
    let entry = |entry: &Entry| entry.offset >= 0 && entry.size > 0 && entry.offset.checked_add(entry.size).is_some();
    let kind = response.entries.is_empty() || matches!(response.kind, 1 | 2);
    (kind && numbers.iter().all(|number| *number >= 0) && response.entries.iter().all(entry)).then_some(response)
}

/// The same, by ours.
fn by_ours(message: &[u8]) -> Option<Response> {
    match Blocks::decode(Bytes::copy_from_slice(message)) {
        Ok(blocks) => Some(response(&blocks)),
        Err(Error::Broken(_)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

fn response(blocks: &Blocks) -> Response {
    let number = |value: u64| i64::try_from(value).expect("no larger number is taken");
    let entry =
        |block: Block<'_>| Entry { offset: number(block.offset), size: number(block.size), token: block.token.into() };
    let entries: Vec<_> = blocks.iter().map(entry).collect();
    assert_eq!((blocks.len(), blocks.is_empty()), (entries.len(), entries.is_empty()));
    assert_eq!(blocks.end(), entries.last().map_or(0, |last| number(last.offset as u64 + last.size as u64) as u64));
    let kind = if blocks.kind() == Kind::Fixed { 1 } else { 2 };
    let (issued, ttl) = blocks.validity();
    Response { kind, capacity: number(blocks.capacity()), entries, issued, ttl }
}

/// A message without entries need not say its kind.
fn same(ours: Option<Response>, prosts: Option<Response>) -> bool {
    let prosts = prosts.map(|response| match response.kind {
        1 => response,
        _ => Response { kind: 2, ..response },
    });
    ours == prosts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_prost_reads_is_read_and_nothing_else(message in message()) {
        prop_assert!(same(by_ours(&message), by_prost(&message)), "{:?} {:?}", by_ours(&message), by_prost(&message));
    }

    #[test]
    fn a_damaged_message_is_what_prost_takes_it_for(
        message in message(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        prop_assume!(!message.is_empty());
        let mut message = message;
        let at = at.index(message.len());
        if cut { message.truncate(at) } else { message[at] = byte }
        prop_assert!(same(by_ours(&message), by_prost(&message)), "{:?} {:?}", by_ours(&message), by_prost(&message));
    }

    #[test]
    fn any_bytes_are_what_prost_takes_them_for(message in vec(any::<u8>(), 0..40)) {
        prop_assert!(same(by_ours(&message), by_prost(&message)));
    }

    #[test]
    fn what_is_made_is_read_by_prost_and_by_ours(
        fixed in any::<bool>(),
        capacity in 0..=i64::MAX as u64,
        validity in proptest::option::of((1i64..1 << 40, 1i64..1 << 20)),
        entries in vec((0u64..1 << 62, 1u64..1 << 62, vec(any::<u8>(), 0..300)), 0..20),
    ) {
        let mut builder = Builder::new(if fixed { Kind::Fixed } else { Kind::Variable }, capacity);
        if let Some((issued, ttl)) = validity {
            builder.validity(issued, ttl);
        }
        for (offset, size, token) in &entries {
            builder.push(Block { offset: *offset, size: *size, token });
        }
        prop_assert_eq!(builder.len(), entries.len());
        let made = builder.finish();
        prop_assert_eq!(Blocks::decode(made.encoded().clone()), Ok(made.clone()));
        let expected = Response {
            kind: if fixed { 1 } else { 2 },
            capacity: capacity as i64,
            entries: entries
                .into_iter()
                .map(|(offset, size, token)| Entry { offset: offset as i64, size: size as i64, token })
                .collect(),
            issued: validity.map_or(0, |(issued, _)| issued),
            ttl: validity.map_or(0, |(_, ttl)| ttl),
        };
        prop_assert_eq!(Response::decode(made.encoded().clone()), Ok(expected));
    }
}
