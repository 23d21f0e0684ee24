//! Answers that hold for a while. Those who want the same answer at the same time share one question.
//!
//! Keys are digests, so that an entry is small whatever was asked, and a token is nowhere. A failure is not kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// What an answer is kept under.
pub(crate) type Key = [u8; 32];

/// How long an answer holds.
pub(crate) const TTL: Duration = Duration::from_secs(10);
/// Answers at a time; the oldest makes room.
const CAPACITY: usize = 8192;

/// The digest of a question.
pub(crate) fn key(question: &[u8]) -> Key {
    Sha256::digest(question).into()
}

/// Answers of one kind.
pub(crate) struct Cache<V, E> {
    inner: Mutex<Inner<V, E>>,
}

type Asking<V, E> = Shared<BoxFuture<'static, Result<V, Arc<E>>>>;

struct Inner<V, E> {
    entries: HashMap<Key, Entry<V, E>>,
    /// Every entry once, by age; and entries that were replaced since, which a number tells.
    order: VecDeque<(Key, u64)>,
    next: u64,
}

struct Entry<V, E> {
    number: u64,
    asking: Asking<V, E>,
    /// `None` while it is asked.
    expires: Option<Instant>,
}

// === impl Cache ===

impl<V: Clone, E> Cache<V, E> {
    pub(crate) fn new() -> Self {
        Self { inner: Mutex::new(Inner { entries: HashMap::new(), order: VecDeque::new(), next: 0 }) }
    }

    /// The answer under `key`, which `ask` gives if nobody knows it.
    pub(crate) async fn get(
        &self,
        key: Key,
        ask: impl FnOnce() -> BoxFuture<'static, Result<V, E>>,
    ) -> Result<V, Arc<E>>
    where
        V: Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        let (number, asking) = self.lock().entry(key, ask);
        let answer = asking.await;
        let mut inner = self.lock();
        match inner.entries.get_mut(&key) {
            Some(entry) if entry.number == number && entry.expires.is_none() => match &answer {
                Ok(_) => entry.expires = Some(Instant::now() + TTL),
                Err(_) => {
                    inner.entries.remove(&key);
                }
            },
            _ => {}
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inner<V, E>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Inner ===

impl<V: Clone + Send + Sync + 'static, E: Send + Sync + 'static> Inner<V, E> {
    fn entry(&mut self, key: Key, ask: impl FnOnce() -> BoxFuture<'static, Result<V, E>>) -> (u64, Asking<V, E>) {
        if let Some(entry) = self.entries.get(&key)
            && entry.expires.is_none_or(|expires| expires > Instant::now())
        {
            return (entry.number, entry.asking.clone());
        }
        let number = self.next;
        self.next += 1;
        let asking = ask().map(|answer| answer.map_err(Arc::new)).boxed().shared();
        self.entries.insert(key, Entry { number, asking: asking.clone(), expires: None });
        self.order.push_back((key, number));
        while self.order.len() > CAPACITY {
            self.drop_oldest();
        }
        (number, asking)
    }

    fn drop_oldest(&mut self) {
        if let Some((key, number)) = self.order.pop_front()
            && self.entries.get(&key).is_some_and(|entry| entry.number == number)
        {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    struct Asked {
        cache: Cache<u32, &'static str>,
        times: Arc<AtomicU32>,
    }

    impl Asked {
        fn new() -> Self {
            Self { cache: Cache::new(), times: Arc::default() }
        }

        /// Answers how often it was asked, after a second; fails when the question is `fail`.
        async fn get(&self, question: &str) -> Result<u32, Arc<&'static str>> {
            let (times, fails) = (Arc::clone(&self.times), question == "fail");
            let ask = move || {
                async move {
                    sleep(Duration::from_secs(1)).await;
                    let time = times.fetch_add(1, Ordering::Relaxed) + 1;
                    if fails { Err("failed") } else { Ok(time) }
                }
                .boxed()
            };
            self.cache.get(key(question.as_bytes()), ask).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_for_ten_seconds_from_when_it_was_given() {
        let asked = Asked::new();
        assert_eq!(asked.get("a").await.unwrap(), 1);
        advance(TTL - Duration::from_millis(1)).await;
        assert_eq!(asked.get("a").await.unwrap(), 1);
        advance(Duration::from_millis(1)).await;
        assert_eq!(asked.get("a").await.unwrap(), 2);
        assert_eq!(asked.get("b").await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_at_once_share_one_question_and_one_failure() {
        let asked = Asked::new();
        let (one, two) = tokio::join!(asked.get("a"), asked.get("a"));
        assert_eq!((one.unwrap(), two.unwrap()), (1, 1));
        let (one, two) = tokio::join!(asked.get("fail"), asked.get("fail"));
        assert!(one.is_err() && two.is_err());
        assert_eq!(asked.times.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_not_kept() {
        let asked = Asked::new();
        assert!(asked.get("fail").await.is_err());
        assert!(asked.get("fail").await.is_err());
        assert_eq!(asked.times.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_spoils_nothing_for_the_next() {
        let asked = Asked::new();
        assert!(tokio::time::timeout(Duration::from_millis(1), asked.get("a")).await.is_err());
        assert_eq!(asked.get("a").await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_holds_so_many_answers_and_no_more() {
        let cache = Cache::<usize, ()>::new();
        for round in 0..3 {
            for index in 0..CAPACITY {
                let question = format!("{round}/{index}");
                cache.get(key(question.as_bytes()), || async move { Ok(index) }.boxed()).await.unwrap();
            }
            advance(TTL).await;
        }
        let inner = cache.lock();
        assert_eq!((inner.entries.len(), inner.order.len()), (CAPACITY, CAPACITY));
    }
}
