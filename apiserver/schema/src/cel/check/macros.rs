//! The macros that the parser does not expand: those of two variables, those of optionals, and `sortBy`.

use cel::common::ast::{Expr as Tree, IdedExpr, operators};

use super::{Checked, Scope};
use crate::cel::{
    expr::{Bind, Binding, Expr, Item, Loop},
    function::Function,
    types::Type,
};

/// Whether a call of a function on something is one of these macros.
pub(super) fn is_macro(name: &str, args: &[IdedExpr]) -> bool {
    match name {
        "all" | "exists" | "existsOne" | "exists_one" | "transformList" | "transformMap" | "transformMapEntry" => {
            args.len() == 3 || args.len() == 4 && name.starts_with("transform")
        }
        "optMap" | "optFlatMap" | "sortBy" => args.len() == 2,
        _ => false,
    }
}

/// The parts of a loop but what it goes over.
struct Parts<'a> {
    start: Expr,
    until: Expr,
    step: Expr,
    result: Expr,
    found: Type<'a>,
}

impl<'a> Scope<'_, 'a> {
    /// Expands a macro.
    pub(super) fn expand(&mut self, name: &str, target: &IdedExpr, args: &[IdedExpr]) -> Checked<'a> {
        match (name, args) {
            ("optMap", [variable, body]) => self.optional(target, variable, body, Binding::Optional),
            ("optFlatMap", [variable, body]) => self.optional(target, variable, body, Binding::Flat),
            ("sortBy", [variable, key]) => self.sort_by(target, variable, key),
            (name, [one, two, rest @ ..]) => self.pairs(name, target, (one, two), rest),
            _ => Err(format!("found no matching overload for '{name}'")),
        }
    }

    /// The value of an optional, under a name, in an expression.
    fn optional(&mut self, target: &IdedExpr, variable: &IdedExpr, body: &IdedExpr, how: Binding) -> Checked<'a> {
        let (of, found) = self.expr(target)?;
        let inner = match found {
            Type::Optional(inner) => *inner,
            Type::Any => Type::Any,
            other => return Err(format!("{other} is not optional")),
        };
        let in_step = std::mem::replace(&mut self.in_step, false);
        self.locals.push((simple(variable)?, inner));
        let (body, found) = self.expr(body)?;
        self.locals.pop();
        self.in_step = in_step;
        let found = if how == Binding::Optional { Type::Optional(Box::new(found)) } else { found };
        Ok((Expr::Bind(Box::new(Bind { of, body, how })), found))
    }

    /// A list in the order of what an expression says of each item.
    fn sort_by(&mut self, target: &IdedExpr, variable: &IdedExpr, key: &IdedExpr) -> Checked<'a> {
        let (of, found) = self.expr(target)?;
        let item = match &found {
            Type::List { item, .. } => item.as_ref().clone(),
            Type::Any => Type::Any,
            other => return Err(format!("{other} cannot be sorted")),
        };
        let list = self.locals.len();
        // A name that no expression can speak of.
        self.locals.push((String::new(), found.clone()));
        let in_step = std::mem::replace(&mut self.in_step, false);
        self.locals.push((simple(variable)?, item));
        self.locals.push((String::new(), Type::Any));
        let (key, _) = self.expr(key)?;
        self.locals.truncate(list);
        self.in_step = in_step;
        let keys = Expr::Loop(Box::new(Loop {
            over: Expr::Local(list),
            pairs: false,
            start: Expr::List(Vec::new()),
            until: Expr::Bool(true),
            step: appended(list + 2, key),
            result: Expr::Result { local: list + 2, take: true },
        }));
        let body = internal("@sortByAssociatedKeys", false, vec![Expr::Local(list), keys]);
        Ok((Expr::Bind(Box::new(Bind { of, body, how: Binding::Plain })), found))
    }

    /// A loop with two variables: index and item, or key and value.
    fn pairs(
        &mut self,
        name: &str,
        target: &IdedExpr,
        (one, two): (&IdedExpr, &IdedExpr),
        rest: &[IdedExpr],
    ) -> Checked<'a> {
        let (over, range) = self.expr(target)?;
        let (key, value) = match range {
            Type::Any => (Type::Any, Type::Any),
            Type::List { item, .. } => (Type::Int, *item),
            Type::Map(value) => (Type::String, *value),
            other => return Err(format!("{other} cannot be iterated over")),
        };
        let base = self.locals.len();
        let in_step = std::mem::replace(&mut self.in_step, false);
        self.locals.push((simple(one)?, key));
        self.locals.push((simple(two)?, value));
        self.locals.push((String::new(), Type::Any));
        let parts = self.parts(name, base + 2, rest)?;
        self.locals.truncate(base);
        self.in_step = in_step;
        let Parts { start, until, step, result, found } = parts;
        Ok((Expr::Loop(Box::new(Loop { over, pairs: true, start, until, step, result })), found))
    }

    fn parts(&mut self, name: &str, so_far: usize, rest: &[IdedExpr]) -> Result<Parts<'a>, String> {
        let look = || Expr::Result { local: so_far, take: false };
        let take = || Expr::Result { local: so_far, take: true };
        let gathers = |start: Expr, step: Expr, found: Type<'a>| Parts {
            start,
            until: Expr::Bool(true),
            step,
            result: take(),
            found,
        };
        let (condition, last) = match rest {
            [last] => (None, last),
            [condition, last] => (Some(self.bool(condition)?), last),
            _ => return Err(format!("found no matching overload for '{name}'")),
        };
        let unless = |condition: Option<Expr>, step: Expr| match condition {
            Some(condition) => Expr::If(Box::new([condition, step, take()])),
            None => step,
        };
        Ok(match name {
            "all" => Parts {
                start: Expr::Bool(true),
                until: Expr::NotFalse(Box::new(look())),
                step: Expr::And(Box::new(take()), Box::new(self.bool(last)?)),
                result: take(),
                found: Type::Bool,
            },
            "exists" => Parts {
                start: Expr::Bool(false),
                until: Expr::NotFalse(Box::new(internal(operators::LOGICAL_NOT, false, vec![look()]))),
                step: Expr::Or(Box::new(take()), Box::new(self.bool(last)?)),
                result: take(),
                found: Type::Bool,
            },
            "existsOne" | "exists_one" => {
                let more = internal(operators::ADD, false, vec![take(), Expr::Int(1)]);
                let step = unless(Some(self.bool(last)?), more);
                let result = internal(operators::EQUALS, false, vec![take(), Expr::Int(1)]);
                Parts { result, ..gathers(Expr::Int(0), step, Type::Bool) }
            }
            "transformList" => {
                let (value, found) = self.expr(last)?;
                gathers(Expr::List(Vec::new()), unless(condition, appended(so_far, value)), Type::list(found))
            }
            "transformMap" => {
                let (value, found) = self.expr(last)?;
                let step = internal("@insert", false, vec![take(), Expr::Local(so_far - 2), value]);
                gathers(
                    Expr::Map(Vec::new()),
                    unless(condition, step),
                    map_of(self.locals[so_far - 2].1.clone(), found),
                )
            }
            "transformMapEntry" => {
                let (entry, found) = self.expr(last)?;
                if !matches!(found, Type::Map(_) | Type::Any) {
                    return Err(format!("{found} where a map is needed"));
                }
                let step = internal("@insert", false, vec![take(), entry]);
                gathers(Expr::Map(Vec::new()), unless(condition, step), found)
            }
            _ => return Err(format!("found no matching overload for '{name}'")),
        })
    }
}

/// What is known of a map from these keys to these values.
fn map_of<'a>(key: Type<'a>, value: Type<'a>) -> Type<'a> {
    if matches!(key, Type::String) { Type::Map(Box::new(value)) } else { Type::Any }
}

/// The result so far with another item.
fn appended(so_far: usize, item: Expr) -> Expr {
    let item = Expr::List(vec![Item { of: item, optional: false }]);
    internal(operators::ADD, false, vec![Expr::Result { local: so_far, take: true }, item])
}

/// A call of a function that is there for arguments of any type.
fn internal(name: &str, receiver: bool, args: Vec<Expr>) -> Expr {
    let types = vec![Type::Any; args.len()];
    let function = Function::find(name, receiver, &types).expect("the tables have the functions that macros call");
    Expr::Call { function, args }
}

/// The name that a macro gives.
fn simple(variable: &IdedExpr) -> Result<String, String> {
    match &variable.expr {
        Tree::Ident(name) => Ok(name.clone()),
        _ => Err("argument must be a simple name".to_owned()),
    }
}
