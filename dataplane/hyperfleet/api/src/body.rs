//! Reads a request's body, within bounds of size and time.

use std::{error::Error as StdError, time::Duration};

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::error::{Code, Error, Result};

/// Bytes of a body.
pub(crate) const LIMIT: usize = 1 << 20;

/// Reads a body to its end.
pub(crate) async fn read<B>(body: B, patience: Duration) -> Result<Bytes>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    let collected = tokio::time::timeout(patience, Limited::new(body, LIMIT).collect());
    match collected.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Error::new(Code::TooLarge, format!("The request's body is longer than {LIMIT} bytes")))
        }
        Ok(Err(_)) => Err(Error::malformed("Failed to read request body")),
        Err(_) => Err(Error::new(Code::TooSlow, format!("The request's body did not come within {patience:?}"))),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bodies_are_bounded_in_size_and_time() {
        let patience = Duration::from_secs(10);
        assert_eq!(read(Full::new(Bytes::from_static(b"{}")), patience).await.unwrap(), "{}");
        let large = Full::new(Bytes::from(vec![b' '; LIMIT + 1]));
        assert_eq!(read(large, patience).await.unwrap_err().code, Code::TooLarge);
        let never = StreamBody::new(stream::pending::<std::io::Result<Frame<Bytes>>>());
        assert_eq!(read(never, patience).await.unwrap_err().code, Code::TooSlow);
        let broken = StreamBody::new(stream::iter([Err::<Frame<Bytes>, _>(std::io::Error::other("gone"))]));
        assert_eq!(read(broken, patience).await.unwrap_err().code, Code::Malformed);
    }
}
