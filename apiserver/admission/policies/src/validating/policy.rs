//! One ValidatingAdmissionPolicy.

use admission::Attributes;
use auth::Authorizer;
use schema::cel::Val;
use serde_json::Value;

use super::decision::{Annotation, Decision, Ruling};
use crate::{
    cel::{Asked, BUDGET, Expression, Input, Wanted, run},
    definition::{Definition, items, text},
    source::Policy,
};

/// The longest message that an expression may make, in bytes.
const MESSAGE_LIMIT: usize = 5 << 10;

/// A policy, compiled.
#[derive(Debug)]
pub(super) struct Validating {
    pub(super) definition: Definition,
    validations: Vec<Validation>,
    annotations: Vec<(String, Expression)>,
}

/// What has to be true, and what to say when it is not.
#[derive(Debug)]
struct Validation {
    expression: Expression,
    message: String,
    message_expression: Option<Expression>,
    reason: String,
}

/// What the value of an audit annotation is.
enum Found {
    Text(String),
    Null,
    Other(String),
}

impl Policy for Validating {
    fn of(policy: &Value) -> Self {
        let (definition, spec) = (Definition::of(policy), &policy["spec"]);
        let compile = |text: &str, wanted: Wanted| definition.expressions.compile(text, wanted);
        let validations = items(&spec["validations"]).map(|validation| Validation {
            expression: compile(text(&validation["expression"]), Wanted::Bool),
            message: text(&validation["message"]).to_owned(),
            message_expression: Some(text(&validation["messageExpression"]))
                .filter(|text| !text.is_empty())
                .map(|text| compile(text, Wanted::Message)),
            reason: validation["reason"].as_str().unwrap_or("Invalid").to_owned(),
        });
        let annotations = items(&spec["auditAnnotations"]).map(|annotation| {
            let value = compile(text(&annotation["valueExpression"]), Wanted::Annotation);
            (text(&annotation["key"]).to_owned(), value)
        });
        let (validations, annotations) = (validations.collect(), annotations.collect());
        Self { definition, validations, annotations }
    }

    fn definition(&self) -> &Definition {
        &self.definition
    }
}

// === impl Validating ===

impl Validating {
    /// What it says of a request.
    pub(super) async fn decide(
        &self,
        input: &mut Input,
        namespace: Option<&Value>,
        attributes: &Attributes,
        asked: &mut Asked,
        authorizer: &dyn Authorizer,
    ) -> Ruling {
        let (expressions, fails) = (&self.definition.expressions, self.definition.fails);
        let who = (&attributes.user, authorizer);
        // Match conditions see no namespace.
        input.set_namespace(None);
        match self.definition.conditions.hold(expressions, input, asked, attributes, authorizer).await {
            Ok(true) => {}
            Ok(false) => return Ruling::default(),
            Err(why) => return Ruling::failed(fails, why),
        }
        input.set_namespace(namespace);
        let list: Vec<_> = self.validations.iter().map(|validation| Some(&validation.expression)).collect();
        let holds = |value: &Val<'_>| matches!(value, Val::Bool(true));
        let evaluated = match run(expressions, &list, input, BUDGET, asked, who, holds).await {
            Ok(evaluated) => evaluated,
            Err(why) => return Ruling::failed(fails, why),
        };
        let list: Vec<_> = self.validations.iter().map(|validation| validation.message_expression.as_ref()).collect();
        let message = |value: &Val<'_>| value.as_text().map(str::to_owned);
        let messages = run(expressions, &list, input, evaluated.left, asked, who, message).await;
        let decisions = evaluated.results.into_iter().flatten().enumerate().map(|(index, result)| {
            let validation = &self.validations[index];
            match (result, &messages) {
                (Err(why), _) => Decision::failed(fails, why),
                (_, Err(why)) => Decision::failed(fails, format!("failed messageExpression: {why}")),
                (Ok(true), _) => Decision::Admit,
                (Ok(false), Ok(messages)) => {
                    let message = messages.results[index].as_ref().and_then(|message| message.as_ref().ok());
                    let message = validation.message(message.and_then(Option::as_deref));
                    Decision::Deny { message, reason: validation.reason.clone() }
                }
            }
        });
        let decisions = decisions.collect();
        match self.annotations(input, attributes, asked, authorizer).await {
            Ok(annotations) => Ruling { decisions, annotations },
            Err(why) => Ruling::failed(fails, why),
        }
    }

    async fn annotations(
        &self,
        input: &Input,
        attributes: &Attributes,
        asked: &mut Asked,
        authorizer: &dyn Authorizer,
    ) -> Result<Vec<(String, Annotation)>, String> {
        let list: Vec<_> = self.annotations.iter().map(|(_, expression)| Some(expression)).collect();
        let who = (&attributes.user, authorizer);
        let evaluated = run(&self.definition.expressions, &list, input, BUDGET, asked, who, found).await?;
        let failed = |why: String| if self.definition.fails { Annotation::Error(why) } else { Annotation::Exclude };
        let results = evaluated.results.into_iter().flatten().zip(&self.annotations);
        Ok(results
            .map(|(result, (key, expression))| {
                let annotation = match result {
                    Ok(Found::Text(text)) if text.is_empty() => Annotation::Exclude,
                    Ok(Found::Text(text)) => Annotation::Publish(text),
                    Ok(Found::Null) => Annotation::Exclude,
                    Ok(Found::Other(name)) => Annotation::Error(format!(
                        "valueExpression '{}' resulted in unsupported return type: {name}. Return type must be either \
                         string or null.",
                        expression.text
                    )),
                    Err(why) => failed(why),
                };
                (key.clone(), annotation)
            })
            .collect())
    }
}

fn found(value: &Val<'_>) -> Found {
    match value {
        Val::Null => Found::Null,
        value => match value.as_text() {
            Some(text) => Found::Text(text.trim().to_owned()),
            None => Found::Other(value.type_name().to_owned()),
        },
    }
}

// === impl Validation ===

impl Validation {
    /// What to say, where `made` is what its expression says.
    fn message(&self, made: Option<&str>) -> String {
        let made = made.map(str::trim).filter(|made| made.len() <= MESSAGE_LIMIT && !made.contains('\n'));
        match (made.unwrap_or_default(), self.message.trim()) {
            ("", "") => format!("failed expression: {}", self.expression.text.trim()),
            ("", message) => message.to_owned(),
            (made, _) => made.to_owned(),
        }
    }
}
