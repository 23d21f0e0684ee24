//! `matchConditions`: what a webhook or a policy asks of a request before it is called. Who compiles them is told from outside.

use std::sync::Arc;

use async_trait::async_trait;

use crate::Attributes;

/// One of them, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// CEL that says true or false.
    pub expression: String,
}

/// Compiled conditions.
#[async_trait]
pub trait Conditions: Send + Sync {
    /// Whether none of them is false. An error, where one of them cannot be evaluated and none is false, is for the failure
    /// policy.
    async fn match_all(&self, attributes: &Attributes) -> Result<bool, String>;
}

/// Compiles conditions. What cannot be compiled is an error each time that it is asked.
pub type Compiler = Arc<dyn Fn(Vec<Condition>) -> Arc<dyn Conditions> + Send + Sync>;

/// What stands for conditions where nobody compiles them: an error each time.
pub fn none(_: Vec<Condition>) -> Arc<dyn Conditions> {
    struct None;
    #[async_trait]
    impl Conditions for None {
        async fn match_all(&self, _: &Attributes) -> Result<bool, String> {
            Err("match conditions are not evaluated by this server".to_owned())
        }
    }
    Arc::new(None)
}
