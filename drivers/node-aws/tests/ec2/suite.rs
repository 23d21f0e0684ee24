//! The cases of every implementation.

use async_trait::async_trait;
use proto::node::{
    Node, NodePower, State,
    suite::{Calls, Fault, Subject},
};
use serde_json::json;

use crate::support::{INSTANCE, KEY, SECRET, Site, worker};

#[async_trait]
impl Subject for Site {
    fn power(&self) -> &dyn NodePower {
        &self.power
    }

    fn node(&self) -> Node {
        worker()
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned(), SECRET.to_owned()]
    }

    async fn calls(&self) -> Calls {
        self.ec2.calls()
    }

    async fn set(&self, state: State) {
        let state = match state {
            State::Gone => "terminated",
            State::Stopped => "stopped",
            _ => "running",
        };
        self.ec2.tell("state", json!({"id": INSTANCE, "state": state})).unwrap();
    }

    async fn fail(&self, fault: Option<Fault>) {
        self.ec2.fail(fault);
    }
}

proto::node_suite!(async { Site::new(&["--allow-stop-start"]) });
