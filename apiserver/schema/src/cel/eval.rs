//! Evaluating checked expressions, step by step, each paid for.

use super::{
    budget::{Budget, Fault},
    expr::{Expr, Lookup, Loop},
    function::Call,
    value::{Text, Val},
};

/// The values that an expression speaks of.
#[derive(Clone, Debug)]
pub(crate) struct Variables<'a> {
    /// `self`.
    pub(crate) own: Val<'a>,
    /// `oldSelf`, where there is one.
    pub(crate) old: Option<Val<'a>>,
}

/// How a field or item is found in a value.
type Find<'a, 'f> = dyn Fn(&mut Budget, &Val<'a>) -> Result<Option<Val<'a>>, Fault> + 'f;

/// An evaluation under way.
struct Run<'a, 'b> {
    variables: Variables<'a>,
    budget: &'b mut Budget,
    /// The variables of loops. A result so far may be a fault, which a later item can make up for.
    locals: Vec<Result<Val<'a>, Fault>>,
}

/// The result of an expression.
pub(super) fn evaluate<'a>(expr: &'a Expr, variables: Variables<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    Run { variables, budget, locals: Vec::new() }.expr(expr)
}

// === impl Run ===

impl<'a> Run<'a, '_> {
    fn expr(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        self.budget.take(1)?;
        match expr {
            Expr::Null => Ok(Val::Null),
            Expr::Bool(value) => Ok(Val::Bool(*value)),
            Expr::Int(value) => Ok(Val::Int(*value)),
            Expr::Double(value) => Ok(Val::Double(*value)),
            Expr::Text(text) => Ok(Val::Text(Text::Lent(text))),
            Expr::Own => Ok(self.variables.own.clone()),
            Expr::Old => self.variables.old.clone().ok_or_else(|| Fault::error("no such attribute(s): oldSelf")),
            Expr::Local(local) | Expr::Result { local, take: false } => self.locals[*local].clone(),
            Expr::Result { local, take: true } => std::mem::replace(&mut self.locals[*local], Ok(Val::Null)),
            Expr::Field { of, name, lookup } => {
                let of = self.expr(of)?;
                self.lookup(&of, *lookup, &|budget, of| of.field(name, budget), &|| format!("no such key: {name}"))
            }
            Expr::Index { of, key, lookup } => {
                let (of, key) = (self.expr(of)?, self.expr(key)?);
                self.index(&of, &key, *lookup)
            }
            Expr::And(one, two) => self.logic(one, two, false),
            Expr::Or(one, two) => self.logic(one, two, true),
            Expr::If(parts) => {
                let [condition, yes, no] = parts.as_ref();
                match self.expr(condition)? {
                    Val::Bool(true) => self.expr(yes),
                    Val::Bool(false) => self.expr(no),
                    _ => Err(Fault::overload()),
                }
            }
            Expr::NotFalse(inner) => match self.expr(inner) {
                Ok(value) => Ok(Val::Bool(!matches!(value, Val::Bool(false)))),
                Err(Fault::Error(_)) => Ok(Val::Bool(true)),
                Err(limit) => Err(limit),
            },
            Expr::Call { function, args } => {
                let args = self.all(args)?;
                (function.run)(Call { args, pattern: None, budget: self.budget })
            }
            Expr::Match { function, args, pattern } => {
                let args = self.all(args)?;
                (function.run)(Call { args, pattern: Some(pattern), budget: self.budget })
            }
            Expr::List(items) => Ok(Val::list(self.all(items)?)),
            Expr::Map(entries) => self.map(entries),
            Expr::Loop(inner) => self.repeat(inner),
        }
    }

    fn all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Val<'a>>, Fault> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Result<Val<'a>, Fault> {
        let mut made: Vec<(Val<'a>, Val<'a>)> = Vec::new();
        for (key, value) in entries {
            let (key, value) = (self.expr(key)?, self.expr(value)?);
            self.budget.take(made.len())?;
            let text = key.as_text().ok_or_else(Fault::overload)?;
            if made.iter().any(|(other, _)| other.as_text() == Some(text)) {
                return Err(Fault::error(format!("Failed with repeated key: {text}")));
            }
            made.push((key, value));
        }
        Ok(Val::Map(made.into()))
    }

    fn index(&mut self, of: &Val<'a>, key: &Val<'a>, lookup: Lookup) -> Result<Val<'a>, Fault> {
        match key {
            Val::Int(index) => {
                let absent = || format!("index out of bounds: {index}");
                self.lookup(of, lookup, &|_, of| of.item(*index), &absent)
            }
            Val::Text(name) => {
                let absent = || format!("no such key: {}", name.as_str());
                self.lookup(of, lookup, &|budget, of| of.field(name.as_str(), budget), &absent)
            }
            _ => Err(Fault::overload()),
        }
    }

    fn lookup(
        &mut self,
        of: &Val<'a>,
        lookup: Lookup,
        find: &Find<'a, '_>,
        absent: &dyn Fn() -> String,
    ) -> Result<Val<'a>, Fault> {
        if let Val::Optional(inner) = of {
            let found = inner.as_ref().map(|inner| find(self.budget, inner)).transpose()?.flatten();
            return Ok(if lookup == Lookup::Test { Val::Bool(found.is_some()) } else { Val::optional(found) });
        }
        let found = find(self.budget, of)?;
        match lookup {
            Lookup::Test => Ok(Val::Bool(found.is_some())),
            Lookup::Optional => Ok(Val::optional(found)),
            Lookup::Value => found.ok_or_else(|| Fault::error(absent())),
        }
    }

    /// One operand that is `decisive` decides, whatever becomes of the other.
    fn logic(&mut self, one: &'a Expr, two: &'a Expr, decisive: bool) -> Result<Val<'a>, Fault> {
        let first = self.expr(one);
        match &first {
            Ok(Val::Bool(value)) if *value == decisive => return first,
            Err(Fault::CallLimit | Fault::ObjectLimit) => return first,
            _ => {}
        }
        let second = self.expr(two);
        match (first, second) {
            (_, Ok(Val::Bool(value))) if value == decisive => Ok(Val::Bool(decisive)),
            (_, Err(limit @ (Fault::CallLimit | Fault::ObjectLimit))) => Err(limit),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(Val::Bool(_)), Ok(Val::Bool(_))) => Ok(Val::Bool(!decisive)),
            _ => Err(Fault::overload()),
        }
    }

    fn repeat(&mut self, inner: &'a Loop) -> Result<Val<'a>, Fault> {
        let over = self.expr(&inner.over)?;
        self.budget.take(over.size().unwrap_or_default())?;
        let items = over.iterated().ok_or_else(Fault::overload)?;
        let start = self.expr(&inner.start);
        let base = self.locals.len();
        self.locals.extend([Ok(Val::Null), start]);
        for item in items {
            self.locals[base] = Ok(item);
            let goes_on = match self.expr(&inner.until) {
                Ok(value) => matches!(value, Val::Bool(true)),
                Err(fault) => {
                    self.locals.truncate(base);
                    return Err(fault);
                }
            };
            if !goes_on {
                break;
            }
            let next = self.expr(&inner.step);
            if let Err(limit @ (Fault::CallLimit | Fault::ObjectLimit)) = next {
                return Err(limit);
            }
            self.locals[base + 1] = next;
        }
        let result = self.expr(&inner.result);
        self.locals.truncate(base);
        result
    }
}
