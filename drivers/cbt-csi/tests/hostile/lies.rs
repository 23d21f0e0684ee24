//! Answers that break what CSI promises: the client has what came before, and an error.

use super::*;

#[tokio::test]
async fn lies_end_a_list_after_the_last_good_entry() {
    let fixed = |capacity, ranges: &[Range<u64>]| Act::Send(message(Kind::Fixed, capacity, ranges));
    let raw = |bytes: &'static [u8]| Act::Send(Bytes::from_static(bytes));
    let lies = [
        ("overlaps what came before", blocks(&[6, 7])),
        ("goes back", blocks(&[0])),
        ("repeats", blocks(&[7])),
        ("overlaps within a message", fixed(CAPACITY, &[40960..45056, 40960..45056])),
        ("is out of order within a message", blocks(&[12, 11])),
        ("has another capacity", fixed(CAPACITY + 4096, &[40960..45056])),
        ("has another kind", ranges(&[40960..45056])),
        ("has another size", fixed(CAPACITY, &[40960..49152])),
        ("has two sizes", fixed(CAPACITY, &[40960..45056, 45056..53248])),
        ("is not at a multiple of its size", fixed(CAPACITY, &[41000..45096])),
        ("is beyond the end", fixed(CAPACITY, &[CAPACITY..CAPACITY + 4096])),
        ("has no size", raw(b"\x08\x01\x10\x80\x80\x80\x80\x04\x1a\x04\x08\x80\xc0\x02")),
        ("is of no kind", raw(b"\x10\x80\x80\x80\x80\x04\x1a\x07\x08\x80\xc0\x02\x10\x80\x20")),
        (
            "has a negative offset",
            raw(b"\x08\x01\x10\x80\x80\x80\x80\x04\x1a\x0e\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x80\x20"),
        ),
        ("is no message", raw(b"\xff\xff\xff")),
    ];
    let hostile = Hostile::new([]);
    let driver = adapter(&hostile);
    for (what, lie) in lies {
        hostile.act([blocks(&[0, 1]), blocks(&[7]), lie, blocks(&[100])]);
        let (listed, end) = list(&driver, delta()).await;
        assert_eq!(listed, [0..4096, 4096..8192, 28672..32768], "what {what}");
        assert!(matches!(end, Err(Error::Broken(_))), "what {what}: {end:?}");
    }
}

#[tokio::test]
async fn lies_about_ranges_end_a_list_too() {
    let hostile = Hostile::new([]);
    let driver = adapter(&hostile);
    for lie in [&[8000..9000][..], &[0..1], &[20_000..30_000, 29_999..40_000], &[CAPACITY - 1..CAPACITY + 1]] {
        hostile.act([ranges(&[0..8192, 9000..10_000, 12_000..13_000]), ranges(lie)]);
        let (listed, end) = list(&driver, delta()).await;
        // The last range might still have grown.
        assert_eq!(listed, [0..8192, 9000..10_000], "{lie:?}");
        assert!(matches!(end, Err(Error::Broken(_))), "{lie:?}: {end:?}");
    }
}

#[tokio::test]
async fn what_is_before_the_start_is_a_lie() {
    let hostile = Hostile::new([blocks(&[0, 20])]);
    let driver = adapter(&hostile);
    let refused = refusal(&driver, Query { start: 40960, ..delta() }).await;
    assert!(matches!(refused, Error::Broken(_)), "{refused:?}");
}

#[tokio::test]
async fn a_list_without_end_ends_where_the_volume_does() {
    let whole: Vec<_> = (0..CAPACITY / 4096).map(|index| index * 4096..(index + 1) * 4096).collect();
    let messages = whole.chunks(16_384).map(|ranges| Act::Send(message(Kind::Fixed, CAPACITY, ranges)));
    let hostile = Hostile::new(messages.chain([Act::Flood]));
    let (listed, end) = list(&adapter(&hostile), delta()).await;
    assert_eq!(listed.len() as u64, CAPACITY / 4096);
    assert!(matches!(end, Err(Error::Broken(_))), "{end:?}");
}

#[tokio::test]
async fn saying_nothing_for_ever_is_refused() {
    let hostile = Hostile::new([blocks(&[3]), Act::Repeat(message(Kind::Fixed, CAPACITY, &[]))]);
    let (listed, end) = list(&adapter(&hostile), delta()).await;
    assert_eq!(listed, [12288..16384]);
    assert!(matches!(end, Err(Error::Broken(_))), "{end:?}");
}

#[tokio::test]
async fn messages_without_entries_are_passed_over() {
    let empty = || Act::Send(message(Kind::Fixed, CAPACITY, &[]));
    let hostile = Hostile::new([empty(), Act::Send(Bytes::new()), blocks(&[3]), empty(), blocks(&[5]), empty()]);
    let (listed, end) = list(&adapter(&hostile), delta()).await;
    assert_eq!((listed, end), (vec![12288..16384, 20480..24576], Ok(())));
}

#[tokio::test]
async fn a_volume_that_changes_its_blocks_is_learned_anew() {
    let hostile = Hostile::new([blocks(&[1, 2, 64])]);
    let driver = adapter(&hostile);
    assert_eq!(list(&driver, delta()).await.0.len(), 3);
    hostile.act([Act::Send(message(Kind::Fixed, CAPACITY, &[65536..131072, 262144..327680]))]);
    let refused = refusal(&driver, Query { start: 1 << 18, ..delta() }).await;
    assert!(matches!(refused, Error::Broken(_) | Error::Unavailable(_)), "{refused:?}");
    hostile.act([Act::Send(message(Kind::Fixed, CAPACITY, &[262144..327680]))]);
    assert_eq!(list(&driver, Query { start: 1 << 18, ..delta() }).await, (vec![262144..327680], Ok(())));
}
