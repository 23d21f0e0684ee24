//! Tokens, and the data that they give. What cannot read gives none, and says so.

use super::*;

/// To blocks, by who reads; they are good for a while, and can stand in JSON as they are.
pub async fn tokens_are_given_when_asked_for(subject: &dyn Subject) {
    let reads = ok(subject.blocks().info().await).reads;
    for query in queries(subject.truth()) {
        let without = ok(list(subject.blocks(), query.clone()).await);
        assert!(without.entries.iter().all(|entry| entry.token.is_empty()), "tokens that nobody asked for");
        let listed = ok(list(subject.blocks(), Query { tokens: true, ..query.clone() }).await);
        if query.shape == Shape::Ranges || !reads {
            assert_eq!(listed.entries, without.entries);
            continue;
        }
        assert!(listed.entries.iter().all(|entry| !entry.token.is_empty()), "an entry without a token");
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !br#""\"#.contains(byte);
        assert!(listed.entries.iter().all(|entry| entry.token.iter().all(plain)), "a token that JSON escapes");
        let (issued, ttl) = listed.validity;
        assert!(listed.entries.is_empty() || issued > 0 && ttl > 0, "{:?}", listed.validity);
    }
}

/// The blocks of a snapshot, with tokens; `None` where nothing reads.
async fn blocks(subject: &dyn Subject, query: Query) -> Option<Vec<Entry>> {
    if !ok(subject.blocks().info().await).reads {
        let refused = error(read(subject, &query.target, &[b"any"]).await);
        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
        return None;
    }
    let query = Query { shape: Shape::Blocks, tokens: true, ..query };
    Some(ok(list(subject.blocks(), query).await).entries)
}

/// What the target has there, up to the end of the volume.
async fn expected(subject: &dyn Subject, entry: &Entry) -> Vec<u8> {
    subject.data(entry.offset..entry.end().min(subject.truth().capacity)).await
}

/// The data of one block from its pieces, which follow each other.
fn joined(entry: &Entry, pieces: &[Data]) -> Vec<u8> {
    pieces.iter().fold(Vec::new(), |mut data, piece| {
        assert_eq!(piece.offset, entry.offset + data.len() as u64, "a gap");
        assert!(!piece.bytes.is_empty() && piece.bytes.len() <= 1 << 20, "{} bytes", piece.bytes.len());
        data.extend_from_slice(&piece.bytes);
        data
    })
}

/// Of allocated blocks and of changed ones.
pub async fn tokens_read_the_data(subject: &dyn Subject) {
    let truth = subject.truth();
    for query in [truth.allocated(), truth.delta()] {
        let Some(entries) = blocks(subject, query).await else { return };
        for index in some(entries.len()) {
            let entry = &entries[index];
            let pieces = ok(read(subject, &truth.target, &[&entry.token]).await);
            assert!(joined(entry, &pieces) == expected(subject, entry).await, "other data at {}", entry.offset);
        }
    }
}

/// Not of the volume; and a token may come twice.
pub async fn data_comes_in_the_order_of_tokens(subject: &dyn Subject) {
    let truth = subject.truth();
    let Some(entries) = blocks(subject, truth.delta()).await else { return };
    let mut asked: Vec<_> = some(entries.len()).map(|index| &entries[index]).collect();
    asked.reverse();
    asked.extend(asked.first().copied());
    let tokens: Vec<_> = asked.iter().map(|entry| entry.token.as_slice()).collect();
    let mut pieces = ok(read(subject, &truth.target, &tokens).await).into_iter().peekable();
    for entry in asked {
        let expected = expected(subject, entry).await;
        let (mut own, mut length) = (Vec::new(), 0);
        while length < expected.len() {
            let piece = pieces.next().expect("the data of every block");
            length += piece.bytes.len();
            own.push(piece);
        }
        assert!(joined(entry, &own) == expected, "other data at {}", entry.offset);
    }
    assert_eq!(pieces.next(), None);
}

/// Made up, cut off, or changed by a character; and asking with none at all.
pub async fn tokens_that_were_never_good_are_invalid(subject: &dyn Subject) {
    let truth = subject.truth();
    let Some(entries) = blocks(subject, truth.delta()).await else { return };
    let good = &entries.first().expect("something that changed").token;
    let mut changed = good.clone();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let bad: [&[&[u8]]; 6] =
        [&[], &[b""], &[b"no token"], &[&good[..good.len() - 1]], &[&changed], &[good, b"\xff\xfe"]];
    for tokens in bad {
        let refused = error(read(subject, &truth.target, tokens).await);
        assert!(matches!(refused, Error::Invalid(_)), "{tokens:?}: {refused:?}");
    }
}

/// Though the same block is in the other, too.
pub async fn tokens_are_good_for_their_snapshot_only(subject: &dyn Subject) {
    let truth = subject.truth();
    let Some(entries) = blocks(subject, truth.delta()).await else { return };
    let token = &entries.first().expect("something that changed").token;
    for other in std::iter::once(&truth.base).chain(&truth.foreign) {
        let refused = error(read(subject, other, &[token]).await);
        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
    }
}

/// Whatever the token.
pub async fn a_snapshot_that_is_not_there_has_no_data(subject: &dyn Subject) {
    let truth = subject.truth();
    let Some(entries) = blocks(subject, truth.delta()).await else { return };
    let token = &entries.first().expect("something that changed").token;
    let refused = error(read(subject, &truth.unknown, &[token]).await);
    assert!(matches!(refused, Error::NotFound(_) | Error::Invalid(_)), "{refused:?}");
}
