//! The data of blocks, streamed.

use apiserver::{Call, Uncompressed};
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use machinery::{negotiate, status::Status};
use proto::cbt::{ChangedBlocks, Read};

use super::{authorize, delta::Delta, subject};
use crate::refusal;

/// The header that says where the first block of an answer begins, in bytes from the start of the volume.
pub const BLOCK_OFFSET: HeaderName = HeaderName::from_static("x-block-offset");

/// The parameter.
pub(super) const TOKEN: &str = "token";

const OCTETS: &str = "application/octet-stream";

pub(super) async fn data(source: &dyn ChangedBlocks, call: &Call<'_>) -> Result<Response<Body>, Status> {
    let tokens = tokens(call.query())?;
    negotiate::choose(call.accept(), &[OCTETS]).ok_or_else(|| Status::not_acceptable(&[OCTETS]))?;
    authorize(call).await?;
    let target = Delta::of(&call.stored().await?).target;
    let subject = subject(call);
    let read = Read { target, tokens, secrets: Default::default() };
    let mut pieces = source.read(read).await.map_err(|error| refusal::status(&subject, &error))?;
    let first = pieces.next().await.transpose().map_err(|error| refusal::status(&subject, &error))?;
    let offset = first.as_ref().map(|piece| HeaderValue::from(piece.offset));
    let body = stream::iter(first.map(Ok)).chain(pieces).map(move |piece| match piece {
        Ok(piece) => Ok(piece.bytes),
        Err(error) => {
            refusal::status(&subject, &error);
            Err(error)
        }
    });
    let mut response = call.bytes(StatusCode::OK, OCTETS, Body::from_stream(body));
    response.headers_mut().extend(offset.map(|offset| (BLOCK_OFFSET, offset)));
    response.extensions_mut().insert(Uncompressed);
    Ok(response)
}

fn tokens(query: &[(String, String)]) -> Result<Vec<Bytes>, Status> {
    let tokens: Vec<_> = query.iter().filter(|(name, _)| name == TOKEN).map(|(_, token)| token).collect();
    let refused = |problem: &str| Err(Status::bad_request(&format!("{TOKEN:?}: {problem}")));
    if tokens.is_empty() {
        return refused("name the token of a block at least once");
    }
    if tokens.iter().any(|token| token.is_empty()) {
        return refused("it is empty: blocks without a token cannot be read, as their driver cannot read any");
    }
    Ok(tokens.into_iter().map(|token| Bytes::copy_from_slice(token.as_bytes())).collect())
}
