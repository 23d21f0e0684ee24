//! The shared cases, on a volume that is computed: straight, and through the client and the server.

use std::ops::Range;

use proto::cbt::{
    ChangedBlocks,
    client::Client,
    server,
    suite::{Subject, Synthetic, Truth},
};

/// Few enough to list many times, many enough for several messages.
const ENTRIES: u64 = 9000;

mod straight {
    use super::*;

    proto::cbt_suite!(async { Synthetic::sparse(ENTRIES, 64 << 10).with_truth() });
}

mod full {
    use super::*;

    proto::cbt_suite!(async { Synthetic::full(5, 3 << 20).with_truth() });
}

mod wire {
    use super::*;

    /// What a client sees of a server, without a connection between them.
    struct Far {
        volume: Synthetic,
        blocks: Box<dyn ChangedBlocks>,
    }

    #[async_trait::async_trait]
    impl Subject for Far {
        fn blocks(&self) -> &dyn ChangedBlocks {
            &*self.blocks
        }

        fn truth(&self) -> &Truth {
            self.volume.truth()
        }

        async fn data(&self, range: Range<u64>) -> Vec<u8> {
            self.volume.data(range).await
        }
    }

    proto::cbt_suite!(async {
        let volume = Synthetic::sparse(ENTRIES, 4096).with_truth();
        Far { blocks: Box::new(Client::new(server::service(volume.clone()))), volume }
    });
}
