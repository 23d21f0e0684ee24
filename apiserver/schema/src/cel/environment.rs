//! What expressions may speak of: the names that stand for something, and the types of what they stand for.

use super::{
    access::{Access, Decision},
    budget::{Budget, Fault},
    types::Type,
    value::Val,
};

/// The names of an expression's surroundings.
#[derive(Clone, Debug, Default)]
pub struct Environment<'a> {
    names: Vec<(String, Type<'a>)>,
    composed: Option<Vec<(String, Type<'a>)>>,
    mutations: bool,
}

/// The values of what expressions speak of.
pub trait Names<'a> {
    /// What the name stands for that was declared as number `index`; a fault where it stands for nothing.
    fn named(&mut self, index: usize) -> Result<Val<'a>, Fault>;

    /// What `variables` has that was composed as number `index`.
    fn composed(&mut self, index: usize, _budget: &mut Budget) -> Result<Val<'a>, Fault> {
        Err(Fault::error(format!("no such variable: {index}")))
    }

    /// Whether that is allowed, if that was asked already; else the evaluation ends with [`Fault::Pending`], and begins
    /// again when it is known.
    fn decision(&self, _access: &Access) -> Option<Decision> {
        None
    }
}

// === impl Environment ===

impl<'a> Environment<'a> {
    /// An environment without any name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a name; its number is how many were declared before.
    #[must_use]
    pub fn with(mut self, name: &str, found: Type<'a>) -> Self {
        self.names.push((name.to_owned(), found));
        self
    }

    /// Lets expressions speak of `variables`, which are [composed](Self::compose).
    #[must_use]
    pub fn with_variables(mut self) -> Self {
        self.composed = Some(Vec::new());
        self
    }

    /// Lets expressions make `Object{}` and `JSONPatch{}`.
    #[must_use]
    pub fn with_mutations(mut self) -> Self {
        self.mutations = true;
        self
    }

    /// Adds a field to `variables`; its number is how many were added before. One of the same name as before replaces it.
    pub fn compose(&mut self, name: &str, found: Type<'a>) {
        self.composed.get_or_insert_default().push((name.to_owned(), found));
    }

    /// The number and type of what a name stands for.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &Type<'a>)> {
        position(&self.names, name)
    }

    /// The number and type of a field of `variables`.
    pub(super) fn find_composed(&self, name: &str) -> Option<(usize, &Type<'a>)> {
        position(self.composed.as_ref()?, name)
    }

    /// Whether there are `variables`.
    pub(super) fn is_composed(&self) -> bool {
        self.composed.is_some()
    }

    /// Whether an expression may make a value of that type.
    pub(super) fn makes(&self, name: &str) -> bool {
        self.mutations && (matches!(name, "Object" | "JSONPatch") || name.starts_with("Object."))
    }
}

fn position<'e, 'a>(names: &'e [(String, Type<'a>)], name: &str) -> Option<(usize, &'e Type<'a>)> {
    let index = names.iter().rposition(|(known, _)| known == name)?;
    Some((index, &names[index].1))
}
