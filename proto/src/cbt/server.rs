//! The server: serves any [`ChangedBlocks`] over gRPC.

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use tonic::{Request, Response, Status, async_trait};

use super::{
    ChangedBlocks, Encoded, Query, Read,
    wire::{self, changed_blocks_server::ChangedBlocksServer},
};
use crate::MESSAGE_LIMIT;

/// Serves `C`. Made by [`service`].
#[derive(Debug)]
pub struct Server<C> {
    blocks: C,
}

/// The gRPC service for `blocks`, ready for a `tonic` router.
pub fn service<C: ChangedBlocks>(blocks: C) -> ChangedBlocksServer<Server<C>> {
    ChangedBlocksServer::new(Server { blocks })
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT)
}

// === impl Server ===

#[async_trait]
impl<C: ChangedBlocks> wire::changed_blocks_server::ChangedBlocks for Server<C> {
    type BlocksStream = BoxStream<'static, Result<Encoded, Status>>;
    type ReadBlocksStream = BoxStream<'static, Result<wire::ReadBlocksResponse, Status>>;

    async fn info(&self, _: Request<wire::InfoRequest>) -> Result<Response<wire::InfoResponse>, Status> {
        Ok(Response::new(self.blocks.info().await?.into()))
    }

    async fn blocks(&self, request: Request<wire::BlocksRequest>) -> Result<Response<Self::BlocksStream>, Status> {
        let blocks = self.blocks.blocks(Query::try_from(request.into_inner())?).await?;
        Ok(Response::new(blocks.map_ok(Encoded::from).map_err(Status::from).boxed()))
    }

    async fn read_blocks(
        &self,
        request: Request<wire::ReadBlocksRequest>,
    ) -> Result<Response<Self::ReadBlocksStream>, Status> {
        let data = self.blocks.read(Read::try_from(request.into_inner())?).await?;
        Ok(Response::new(data.map_ok(Into::into).map_err(Status::from).boxed()))
    }
}
