//! The cases of every implementation.

use async_trait::async_trait;
use proto::node::{
    Node, NodePower, State,
    suite::{Calls, Fault, Subject},
};
use serde_json::json;

use crate::support::{PASSWORD, Site, worker};

#[async_trait]
impl Subject for Site {
    fn power(&self) -> &dyn NodePower {
        &self.power
    }

    fn node(&self) -> Node {
        worker()
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }

    async fn calls(&self) -> Calls {
        self.bmc.calls()
    }

    async fn set(&self, state: State) {
        let state = match state {
            State::Gone => "Gone",
            State::Stopped => "Off",
            _ => "On",
        };
        self.bmc.tell("state", json!({ "state": state })).unwrap();
    }

    async fn fail(&self, fault: Option<Fault>) {
        self.bmc.fail(fault);
    }
}

proto::node_suite!(async { Site::new(None) });
