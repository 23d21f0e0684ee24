//! Expressions that share their variables, compiled.

use schema::cel::{Environment, Program, Type};

use super::environment::environment;

/// The surroundings of a policy's expressions: its variables, and whether there are params.
#[derive(Debug)]
pub(crate) struct Expressions {
    params: bool,
    variables: Vec<Variable>,
}

/// An expression with a name, which others can speak of.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) program: Result<Program, String>,
    found: Type<'static>,
}

/// An expression. One that cannot be compiled fails whenever it is evaluated.
#[derive(Debug)]
pub(crate) struct Expression {
    /// As it is written.
    pub(crate) text: String,
    pub(super) program: Result<Program, String>,
    /// Whether it may ask the authorizer.
    pub(super) authorizer: bool,
}

/// What an expression has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// True or false.
    Bool,
    /// A text. It cannot ask the authorizer.
    Message,
    /// A text or null. It cannot ask the authorizer.
    Annotation,
    /// An `Object{}`.
    Object,
    /// A list of `JSONPatch{}`.
    JsonPatch,
}

// === impl Expressions ===

impl Expressions {
    /// Those of somebody without variables.
    pub(crate) fn new(params: bool) -> Self {
        Self { params, variables: Vec::new() }
    }

    /// Adds a variable, which speaks of those before it.
    pub(crate) fn add_variable(&mut self, name: &str, text: &str) {
        let compiled = Program::compile(text, &self.environment(true)).map_err(|why| refused(&why));
        let (program, found) = match compiled {
            Ok((program, found)) => (Ok(program), known(found)),
            Err(why) => (Err(why), Type::Any),
        };
        self.variables.push(Variable { name: name.to_owned(), program, found });
    }

    /// Compiles an expression.
    pub(crate) fn compile(&self, text: &str, wanted: Wanted) -> Expression {
        let authorizer = !matches!(wanted, Wanted::Message | Wanted::Annotation);
        let mut environment = self.environment(authorizer);
        if matches!(wanted, Wanted::Object | Wanted::JsonPatch) {
            environment = environment.with_mutations();
        }
        let program = Program::compile(text, &environment).map_err(|why| refused(&why));
        let program = program.and_then(|(program, found)| wanted.check(&found).map(|()| program));
        Expression { text: text.to_owned(), program, authorizer }
    }

    pub(super) fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn environment(&self, authorizer: bool) -> Environment<'static> {
        let mut environment = environment(self.params, authorizer).with_variables();
        for variable in &self.variables {
            environment.compose(&variable.name, variable.found.clone());
        }
        environment
    }
}

// === impl Expression ===

impl Expression {
    /// Why it cannot be compiled.
    pub(crate) fn compile_error(&self) -> Option<&str> {
        self.program.as_ref().err().map(String::as_str)
    }
}

// === impl Wanted ===

impl Wanted {
    fn check(self, found: &Type<'_>) -> Result<(), String> {
        let (fits, name) = match (self, found) {
            (_, Type::Any) => return Ok(()),
            (Wanted::Bool, found) => (matches!(found, Type::Bool), "bool"),
            (Wanted::Message, found) => (matches!(found, Type::String), "string"),
            (Wanted::Annotation, found) => {
                if matches!(found, Type::String | Type::Null) {
                    return Ok(());
                }
                return Err(format!("must evaluate to one of [string null_type] but got {found}"));
            }
            (Wanted::Object, found) => (matches!(found, Type::Made(name) if name == "Object"), "Object"),
            (Wanted::JsonPatch, Type::List { item, .. }) => {
                let fits = matches!(item.as_ref(), Type::Any)
                    || matches!(item.as_ref(), Type::Made(name) if name == "JSONPatch");
                (fits, "list(JSONPatch)")
            }
            (Wanted::JsonPatch, _) => (false, "list(JSONPatch)"),
        };
        if fits { Ok(()) } else { Err(format!("must evaluate to {name} but got {found}")) }
    }
}

fn refused(why: &str) -> String {
    format!("compilation failed: {why}")
}

/// What others know of a variable: objects lose their fields.
fn known(found: Type<'static>) -> Type<'static> {
    match found {
        simple @ (Type::Bool
        | Type::Bytes
        | Type::Double
        | Type::Duration
        | Type::Int
        | Type::Null
        | Type::String
        | Type::Timestamp
        | Type::Uint) => simple,
        Type::List { item, .. } => Type::List { item: Box::new(known(*item)), merged: false },
        Type::Map(value) => Type::Map(Box::new(known(*value))),
        _ => Type::Any,
    }
}
