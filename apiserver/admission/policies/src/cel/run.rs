//! Evaluating expressions on a request.

use std::cell::RefCell;

use auth::{Authorizer, User};
use schema::cel::{Access, Budget, Decision, Fault, Names, Val};

use super::{
    Asked, Expression, Expressions, Input,
    environment::{NAMES, Name},
};

/// The steps of all of a policy's expressions on one request.
pub(crate) const BUDGET: u64 = 10_000_000;
/// The steps of all match conditions of one webhook or policy.
pub(crate) const CONDITIONS_BUDGET: u64 = BUDGET / 4;

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// The results of expressions, in their order. Where there is no expression there is no result.
#[derive(Debug)]
pub(crate) struct Evaluated<T> {
    pub(crate) results: Vec<Option<Result<T, String>>>,
    /// The steps that are left.
    pub(crate) left: u64,
}

/// Evaluates expressions one after the other; `read` makes of a value what is needed of it. An error ends them all.
pub(crate) async fn run<T: Send>(
    expressions: &Expressions,
    list: &[Option<&Expression>],
    input: &Input,
    steps: u64,
    asked: &mut Asked,
    (user, authorizer): (&User, &dyn Authorizer),
    read: impl Fn(&Val<'_>) -> T + Send + Sync,
) -> Result<Evaluated<T>, String> {
    loop {
        match evaluate(expressions, list, input, steps, asked, &read) {
            Ok(evaluated) => return Ok(evaluated),
            Err(End::OutOfBudget) => return Err(OUT_OF_BUDGET.to_owned()),
            Err(End::Ask(access)) => asked.ask(*access, user, authorizer).await,
        }
    }
}

/// Why an evaluation ended before its end.
enum End {
    OutOfBudget,
    Ask(Box<Access>),
}

fn evaluate<T>(
    expressions: &Expressions,
    list: &[Option<&Expression>],
    input: &Input,
    steps: u64,
    asked: &Asked,
    read: &impl Fn(&Val<'_>) -> T,
) -> Result<Evaluated<T>, End> {
    let mut budget = Budget::of(steps);
    let values = (0..expressions.variables().len()).map(|_| RefCell::new(State::Unknown)).collect();
    let mut run = Run { expressions, input, asked, values, authorizer: true };
    let mut results = Vec::with_capacity(list.len());
    for expression in list {
        let Some(expression) = expression else {
            results.push(None);
            continue;
        };
        let program = match &expression.program {
            Ok(program) => program,
            Err(why) => {
                results.push(Some(Err(format!("compilation error: {why}"))));
                continue;
            }
        };
        run.authorizer = expression.authorizer;
        let failed = |why: &str| Err(format!("expression '{}' resulted in error: {why}", expression.text));
        let result = match program.evaluate(&mut run, &mut budget) {
            Ok(value) => Ok(read(&value)),
            Err(Fault::Error(why)) => failed(&why),
            Err(Fault::CallLimit) => failed("operation cancelled: actual cost limit exceeded"),
            Err(Fault::ObjectLimit) => return Err(End::OutOfBudget),
            Err(Fault::Pending(access)) => return Err(End::Ask(access)),
        };
        results.push(Some(result));
    }
    Ok(Evaluated { results, left: budget.left() })
}

/// The values of names while expressions are evaluated.
struct Run<'a> {
    expressions: &'a Expressions,
    input: &'a Input,
    asked: &'a Asked,
    /// Of variables, each evaluated when it is spoken of for the first time.
    values: Vec<RefCell<State<'a>>>,
    /// Whether the expression may ask the authorizer.
    authorizer: bool,
}

/// What is known of a variable.
enum State<'a> {
    Unknown,
    Known(Result<Val<'a>, Fault>),
}

// === impl Run ===

impl<'a> Names<'a> for Run<'a> {
    fn named(&mut self, index: usize) -> Result<Val<'a>, Fault> {
        let (name, text) = NAMES[index];
        Ok(match name {
            Name::Object => Val::dynamic(&self.input.object),
            Name::OldObject => Val::dynamic(&self.input.old_object),
            Name::Request => Val::dynamic(&self.input.request),
            Name::NamespaceObject => Val::dynamic(&self.input.namespace),
            Name::Params => Val::dynamic(&self.input.params),
            Name::Authorizer if self.authorizer => Access::authorizer(),
            Name::RequestResource if self.authorizer => self.input.resource.clone().into_resource(),
            Name::Authorizer | Name::RequestResource => {
                return Err(Fault::Error(format!("no such attribute(s): {text}")));
            }
        })
    }

    fn composed(&mut self, index: usize, budget: &mut Budget) -> Result<Val<'a>, Fault> {
        if let State::Known(value) = &*self.values[index].borrow() {
            return value.clone();
        }
        let expressions = self.expressions;
        let variable = &expressions.variables()[index];
        let value = match &variable.program {
            Ok(program) => program.evaluate(self, budget),
            Err(why) => Err(Fault::Error(format!("composited variable {:?} fails to compile: {why}", variable.name))),
        };
        let value = value.map_err(|fault| match fault {
            Fault::Error(why) if variable.program.is_ok() => {
                Fault::Error(format!("composited variable {:?} fails to evaluate: {why}", variable.name))
            }
            other => other,
        });
        *self.values[index].borrow_mut() = State::Known(value.clone());
        value
    }

    fn decision(&self, access: &Access) -> Option<Decision> {
        self.asked.get(access).cloned()
    }
}
