//! Evaluating checked expressions, step by step, each paid for.

use super::{
    budget::{Budget, Fault},
    environment::Names,
    expr::{Bind, Binding, Expr, Item, Lookup, Loop},
    function::Call,
    value::{Made, Text, Val},
};

/// The values that a rule speaks of.
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
    names: &'b mut dyn Names<'a>,
    budget: &'b mut Budget,
    /// The variables of loops. A result so far may be a fault, which a later item can make up for.
    locals: Vec<Result<Val<'a>, Fault>>,
}

/// The result of an expression.
pub(super) fn evaluate<'a>(expr: &'a Expr, names: &mut dyn Names<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    Run { names, budget, locals: Vec::new() }.expr(expr)
}

// === impl Variables ===

impl<'a> Names<'a> for Variables<'a> {
    fn named(&mut self, index: usize) -> Result<Val<'a>, Fault> {
        match index {
            0 => Ok(self.own.clone()),
            _ => self.old.clone().ok_or_else(|| Fault::error("no such attribute(s): oldSelf")),
        }
    }
}

// === impl Run ===

impl<'a> Run<'a, '_> {
    fn expr(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        self.budget.take(1)?;
        match expr {
            Expr::Null => Ok(Val::Null),
            Expr::Bool(value) => Ok(Val::Bool(*value)),
            Expr::Int(value) => Ok(Val::Int(*value)),
            Expr::Uint(value) => Ok(Val::Uint(*value)),
            Expr::Double(value) => Ok(Val::Double(*value)),
            Expr::Text(text) => Ok(Val::Text(Text::Lent(text))),
            Expr::Bytes(bytes) => Ok(Val::Bytes(bytes.as_slice().into())),
            Expr::TypeName(name) => Ok(Val::Type(name.as_str().into())),
            Expr::Named(index) => self.names.named(*index),
            Expr::Composed(index) => self.names.composed(*index, self.budget),
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
                Err(fault) if !fault.is_final() => Ok(Val::Bool(true)),
                Err(fault) => Err(fault),
            },
            Expr::Call { function, args } => {
                let args = self.all(args)?;
                (function.run)(Call { args, pattern: None, budget: self.budget, names: self.names })
            }
            Expr::Match { function, args, pattern } => {
                let args = self.all(args)?;
                (function.run)(Call { args, pattern: Some(pattern), budget: self.budget, names: self.names })
            }
            Expr::List(items) => self.list(items),
            Expr::Map(entries) => self.map(entries),
            Expr::Made { name, fields } => self.made(name, fields),
            Expr::Loop(inner) => self.repeat(inner),
            Expr::Bind(inner) => self.bind(inner),
        }
    }

    fn all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Val<'a>>, Fault> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// The value of an item; none if it is an optional that is none.
    fn item(&mut self, expr: &'a Expr, optional: bool) -> Result<Option<Val<'a>>, Fault> {
        match (self.expr(expr)?, optional) {
            (value, false) => Ok(Some(value)),
            (Val::Optional(inner), true) => Ok(inner.map(|inner| inner.as_ref().clone())),
            (_, true) => Err(Fault::overload()),
        }
    }

    fn list(&mut self, items: &'a [Item<Expr>]) -> Result<Val<'a>, Fault> {
        let mut made = Vec::with_capacity(items.len());
        for item in items {
            made.extend(self.item(&item.of, item.optional)?);
        }
        Ok(Val::list(made))
    }

    fn map(&mut self, entries: &'a [Item<(Expr, Expr)>]) -> Result<Val<'a>, Fault> {
        let mut made: Vec<(Val<'a>, Val<'a>)> = Vec::new();
        for Item { of: (key, value), optional } in entries {
            let (key, value) = (self.expr(key)?, self.item(value, *optional)?);
            let Some(value) = value else { continue };
            insert(&mut made, key, value, self.budget)?;
        }
        Ok(Val::Map(made.into()))
    }

    fn made(&mut self, name: &'a str, entries: &'a [Item<(String, Expr)>]) -> Result<Val<'a>, Fault> {
        let mut fields = Vec::new();
        for Item { of: (field, value), optional } in entries {
            if let Some(value) = self.item(value, *optional)? {
                fields.push((field.as_str(), value));
            }
        }
        Ok(Val::Made(Made { name, fields }.into()))
    }

    fn bind(&mut self, inner: &'a Bind) -> Result<Val<'a>, Fault> {
        let value = match (self.expr(&inner.of)?, inner.how) {
            (value, Binding::Plain) => value,
            (Val::Optional(None), _) => return Ok(Val::Optional(None)),
            (Val::Optional(Some(value)), _) => value.as_ref().clone(),
            _ => return Err(Fault::overload()),
        };
        let base = self.locals.len();
        self.locals.push(Ok(value));
        let result = self.expr(&inner.body);
        self.locals.truncate(base);
        match inner.how {
            Binding::Optional => Ok(Val::optional(Some(result?))),
            Binding::Plain | Binding::Flat => result,
        }
    }

    fn index(&mut self, of: &Val<'a>, key: &Val<'a>, lookup: Lookup) -> Result<Val<'a>, Fault> {
        match key {
            Val::Int(index) if !matches!(of, Val::Map(_) | Val::Object(..)) => {
                let absent = || format!("index out of bounds: {index}");
                self.lookup(of, lookup, &|_, of| of.item(*index), &absent)
            }
            Val::Text(name) => {
                let absent = || format!("no such key: {}", name.as_str());
                self.lookup(of, lookup, &|budget, of| of.field(name.as_str(), budget), &absent)
            }
            _ => {
                let absent = || format!("no such key: {}", super::function::display(key));
                self.lookup(of, lookup, &|budget, of| of.entry(key, budget), &absent)
            }
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
            Err(fault) if fault.is_final() => return first,
            _ => {}
        }
        let second = self.expr(two);
        match (first, second) {
            (_, Ok(Val::Bool(value))) if value == decisive => Ok(Val::Bool(decisive)),
            (_, Err(fault)) if fault.is_final() => Err(fault),
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(Val::Bool(_)), Ok(Val::Bool(_))) => Ok(Val::Bool(!decisive)),
            _ => Err(Fault::overload()),
        }
    }

    fn repeat(&mut self, inner: &'a Loop) -> Result<Val<'a>, Fault> {
        let over = self.expr(&inner.over)?;
        self.budget.take(over.size().unwrap_or_default())?;
        let base = self.locals.len();
        // Where the items of a step and, after them, the result so far are.
        let at = base + if inner.pairs { 2 } else { 1 };
        let start = self.expr(&inner.start);
        self.locals.resize(at, Ok(Val::Null));
        self.locals.push(start);
        let ended = if inner.pairs {
            over.pairs().ok_or_else(Fault::overload).and_then(|pairs| {
                self.steps(inner, at, pairs, |locals, (one, two)| {
                    locals[base] = Ok(one);
                    locals[base + 1] = Ok(two);
                })
            })
        } else {
            over.iterated()
                .ok_or_else(Fault::overload)
                .and_then(|items| self.steps(inner, at, items, |locals, item| locals[base] = Ok(item)))
        };
        let result = ended.and_then(|()| self.expr(&inner.result));
        self.locals.truncate(base);
        result
    }

    fn steps<T>(
        &mut self,
        inner: &'a Loop,
        at: usize,
        items: Vec<T>,
        set: impl Fn(&mut [Result<Val<'a>, Fault>], T),
    ) -> Result<(), Fault> {
        for item in items {
            set(&mut self.locals, item);
            if !matches!(self.expr(&inner.until)?, Val::Bool(true)) {
                break;
            }
            let next = self.expr(&inner.step);
            if let Err(fault) = &next
                && fault.is_final()
            {
                return Err(fault.clone());
            }
            self.locals[at] = next;
        }
        Ok(())
    }
}

/// Adds an entry to a map that is made; a key can be there once.
pub(super) fn insert<'a>(
    made: &mut Vec<(Val<'a>, Val<'a>)>,
    key: Val<'a>,
    value: Val<'a>,
    budget: &mut Budget,
) -> Result<(), Fault> {
    budget.take(made.len())?;
    if !matches!(key, Val::Text(_) | Val::Int(_) | Val::Uint(_) | Val::Bool(_)) {
        return Err(Fault::error("unsupported key type"));
    }
    for (known, _) in made.iter() {
        if known.equals(&key, budget)? {
            return Err(Fault::error(format!("Failed with repeated key: {}", super::function::display(&key))));
        }
    }
    made.push((key, value));
    Ok(())
}
