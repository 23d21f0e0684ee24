//! `matchConditions`, compiled.

use std::sync::Arc;

use admission::{
    Attributes,
    conditions::{Compiler, Condition},
};
use async_trait::async_trait;
use auth::Authorizer;

use crate::cel::{Asked, CONDITIONS_BUDGET, Expression, Expressions, Input, Wanted, run};

/// Conditions that have to hold before anything else is looked at.
#[derive(Debug)]
pub(crate) struct Conditions(Vec<Expression>);

/// Compiles the conditions of webhooks, which ask `authorizer` where they ask one.
pub fn compiler(authorizer: Arc<dyn Authorizer>) -> Compiler {
    Arc::new(move |conditions| {
        let expressions = Expressions::new(false);
        let conditions = Conditions::new(&conditions, &expressions);
        Arc::new(OfWebhook { expressions, conditions, authorizer: Arc::clone(&authorizer) })
    })
}

/// The conditions of a webhook.
struct OfWebhook {
    expressions: Expressions,
    conditions: Conditions,
    authorizer: Arc<dyn Authorizer>,
}

// === impl OfWebhook ===

#[async_trait]
impl admission::conditions::Conditions for OfWebhook {
    async fn match_all(&self, attributes: &Attributes) -> Result<bool, String> {
        let (input, mut asked) = (Input::new(attributes), Asked::default());
        self.conditions.hold(&self.expressions, &input, &mut asked, attributes, &*self.authorizer).await
    }
}

// === impl Conditions ===

impl Conditions {
    /// Compiles them among the variables of `expressions`.
    pub(crate) fn new(conditions: &[Condition], expressions: &Expressions) -> Self {
        Self(conditions.iter().map(|condition| expressions.compile(&condition.expression, Wanted::Bool)).collect())
    }

    /// Whether all hold. One that is false decides, whatever becomes of the others; else an error of one is the result.
    pub(crate) async fn hold(
        &self,
        expressions: &Expressions,
        input: &Input,
        asked: &mut Asked,
        attributes: &Attributes,
        authorizer: &dyn Authorizer,
    ) -> Result<bool, String> {
        let list: Vec<_> = self.0.iter().map(Some).collect();
        let who = (&attributes.user, authorizer);
        let holds = |value: &schema::cel::Val<'_>| !matches!(value, schema::cel::Val::Bool(false));
        let evaluated = run(expressions, &list, input, CONDITIONS_BUDGET, asked, who, holds).await?;
        let mut errors: Vec<String> = Vec::new();
        for result in evaluated.results.into_iter().flatten() {
            match result {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) if errors.contains(&why) => {}
                Err(why) => errors.push(why),
            }
        }
        match errors.as_slice() {
            [] => Ok(true),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }
}
