//! From the syntax tree of the `cel` crate to a checked [`Expr`].

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr as Tree, IdedExpr, LiteralValue, operators};

use super::{
    OldSelf,
    expr::{Expr, Lookup, Loop},
    function::{self, Function},
    types::Type,
};
use crate::structural::node::Pattern;

/// How deep an expression may be nested.
const DEPTH: usize = 200;

type Checked<'a> = Result<(Expr, Type<'a>), String>;

/// Checks an expression over `own`; says its type and whether it speaks of the old value.
pub(super) fn check<'a>(tree: &IdedExpr, own: Type<'a>, old: OldSelf) -> Result<(Expr, Type<'a>, bool), String> {
    let mut scope = Scope { own, old, locals: Vec::new(), uses_old_self: false, in_step: false, depth: 0 };
    let (expr, found) = scope.expr(tree)?;
    Ok((expr, found, scope.uses_old_self))
}

/// The names that mean something where an expression stands.
struct Scope<'a> {
    own: Type<'a>,
    old: OldSelf,
    locals: Vec<(String, Type<'a>)>,
    uses_old_self: bool,
    /// Whether this is the step of a loop, which takes the result so far.
    in_step: bool,
    depth: usize,
}

// === impl Scope ===

impl<'a> Scope<'a> {
    fn expr(&mut self, tree: &IdedExpr) -> Checked<'a> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let (expr, found) = match &tree.expr {
            Tree::Literal(literal) => self::literal(literal)?,
            Tree::Ident(name) => self.name(name)?,
            Tree::Select(select) => {
                let lookup = if select.test { Lookup::Test } else { Lookup::Value };
                self.field(&select.operand, &select.field, lookup)?
            }
            Tree::List(list) if list.optional_indices.is_empty() => self.list(&list.elements)?,
            Tree::Map(map) => {
                let entries = map.entries.iter().map(|entry| self.entry(&entry.expr));
                (Expr::Map(entries.collect::<Result<_, _>>()?), Type::Map(Box::new(Type::Any)))
            }
            Tree::Call(call) => self.call(call)?,
            Tree::Comprehension(comprehension) => self.comprehension(comprehension)?,
            Tree::List(_) => return Err("optional items of lists are not supported".to_owned()),
            Tree::Struct(made) => return Err(format!("undeclared type '{}'", made.type_name)),
            Tree::Unspecified => return Err("it is empty".to_owned()),
        };
        self.depth -= 1;
        match found {
            Type::Format(name) => Err(format!("values of format {name} are not supported in rules, except in has()")),
            found => Ok((expr, found)),
        }
    }

    fn name(&mut self, name: &str) -> Checked<'a> {
        if let Some(local) = self.locals.iter().rposition(|(local, _)| local == name) {
            let expr = match is_result_name(name) {
                true => Expr::Result { local, take: self.in_step },
                false => Expr::Local(local),
            };
            return Ok((expr, self.locals[local].1.clone()));
        }
        match name {
            "self" => Ok((Expr::Own, self.own.clone())),
            "oldSelf" => {
                self.uses_old_self = true;
                let own = self.own.clone();
                Ok((Expr::Old, if self.old == OldSelf::Optional { Type::Optional(Box::new(own)) } else { own }))
            }
            name => Err(format!("undeclared reference to '{name}'")),
        }
    }

    fn field(&mut self, of: &IdedExpr, escaped: &str, lookup: Lookup) -> Checked<'a> {
        let (of, holder) = self.expr(of)?;
        let (name, found) = holder.field(escaped)?;
        let found = match (lookup, &holder) {
            (Lookup::Test, _) => Type::Bool,
            (Lookup::Optional, Type::Optional(_)) | (Lookup::Value, _) => found,
            (Lookup::Optional, _) => Type::Optional(Box::new(found)),
        };
        Ok((Expr::Field { of: Box::new(of), name, lookup }, found))
    }

    fn index(&mut self, args: &[IdedExpr], lookup: Lookup) -> Checked<'a> {
        let [of, key] = args else { return Err(no_overload("_[_]")) };
        let ((of, holder), (key, by)) = (self.expr(of)?, self.expr(key)?);
        let inner = if let Type::Optional(inner) = &holder { inner } else { &holder };
        let (item, wanted) = match inner {
            Type::Any => (Type::Any, Type::Any),
            Type::List { item, .. } => (item.as_ref().clone(), Type::Int),
            Type::Map(value) => (value.as_ref().clone(), Type::Any),
            other => return Err(format!("{other} has no items")),
        };
        if !by.fits(&wanted) {
            return Err(format!("an item of {inner} cannot be found by {by}"));
        }
        let optional = lookup == Lookup::Optional || matches!(holder, Type::Optional(_));
        let found = if optional { Type::Optional(Box::new(item)) } else { item };
        if let Type::Format(name) = found {
            return Err(format!("values of format {name} are not supported in rules"));
        }
        Ok((Expr::Index { of: Box::new(of), key: Box::new(key), lookup }, found))
    }

    fn list(&mut self, items: &[IdedExpr]) -> Checked<'a> {
        let mut exprs = Vec::new();
        let mut item: Option<Type<'a>> = None;
        for one in items {
            let (expr, found) = self.expr(one)?;
            exprs.push(expr);
            item = Some(item.map_or(found.clone(), |item| item.either(found)));
        }
        Ok((Expr::List(exprs), Type::list(item.unwrap_or(Type::Any))))
    }

    fn entry(&mut self, entry: &EntryExpr) -> Result<(Expr, Expr), String> {
        match entry {
            EntryExpr::MapEntry(entry) if !entry.optional => {
                let (key, found) = self.expr(&entry.key)?;
                if !found.fits(&Type::String) {
                    return Err(format!("the key of a map must be a string, not {found}"));
                }
                Ok((key, self.expr(&entry.value)?.0))
            }
            _ => Err("optional entries of maps are not supported".to_owned()),
        }
    }

    fn call(&mut self, call: &CallExpr) -> Checked<'a> {
        let name = call.func_name.as_str();
        match (name, call.args.as_slice(), &call.target) {
            (operators::LOGICAL_AND, [one, two], None) => self.logic(one, two, Expr::And),
            (operators::LOGICAL_OR, [one, two], None) => self.logic(one, two, Expr::Or),
            (operators::CONDITIONAL, [condition, yes, no], None) => self.conditional(condition, yes, no),
            (operators::NOT_STRICTLY_FALSE, [one], None) => {
                let inner = self.bool(one)?;
                Ok((Expr::NotFalse(Box::new(inner)), Type::Bool))
            }
            (operators::INDEX, args, None) => self.index(args, Lookup::Value),
            (operators::OPT_INDEX, args, None) => self.index(args, Lookup::Optional),
            (operators::OPT_SELECT, [of, field], None) => match &field.expr {
                Tree::Literal(LiteralValue::String(field)) => self.field(of, field.inner(), Lookup::Optional),
                _ => Err("a field must be named".to_owned()),
            },
            (_, args, Some(target)) => match &target.expr {
                // Functions whose names have a dot, unless a variable is called so.
                Tree::Ident(space) if function::is_space(space) && !self.is_local(space) => {
                    self.function(&format!("{space}.{name}"), None, args)
                }
                _ => self.function(name, Some(target), args),
            },
            (_, args, None) => self.function(name, None, args),
        }
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
    }

    fn logic(&mut self, one: &IdedExpr, two: &IdedExpr, make: fn(Box<Expr>, Box<Expr>) -> Expr) -> Checked<'a> {
        let (one, two) = (self.bool(one)?, self.bool(two)?);
        Ok((make(Box::new(one), Box::new(two)), Type::Bool))
    }

    fn conditional(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Checked<'a> {
        let condition = self.bool(condition)?;
        let ((yes, one), (other, two)) = (self.expr(yes)?, self.expr(no)?);
        let found = if is_result(no) { one } else { one.either(two) };
        Ok((Expr::If(Box::new([condition, yes, other])), found))
    }

    fn bool(&mut self, tree: &IdedExpr) -> Result<Expr, String> {
        let (expr, found) = self.expr(tree)?;
        if found.fits(&Type::Bool) { Ok(expr) } else { Err(format!("{found} where a bool is needed")) }
    }

    fn function(&mut self, name: &str, target: Option<&IdedExpr>, args: &[IdedExpr]) -> Checked<'a> {
        let (mut exprs, mut types) = (Vec::new(), Vec::new());
        for arg in target.into_iter().chain(args) {
            let (expr, found) = self.expr(arg)?;
            exprs.push(expr);
            types.push(found);
        }
        if name == operators::ADD && types.iter().any(|one| matches!(one, Type::List { merged: true, .. })) {
            return Err("lists of type set or map cannot be added to".to_owned());
        }
        let function =
            Function::find(name, target.is_some(), &types).ok_or_else(|| unknown(name, target.is_some(), &types))?;
        let found = match types.as_slice() {
            // The result so far of a loop is still empty: what is added to it says of what it is a list.
            [_, added] if name == operators::ADD && args.first().is_some_and(is_result) => added.clone(),
            types => function.result(types),
        };
        match (name, exprs.first()) {
            ("format", Some(Expr::Text(template))) => function::check_template(template)?,
            ("format", _) => return Err("the template of format() must be spelt out".to_owned()),
            _ => {}
        }
        if function.takes_pattern
            && let Expr::Text(source) = &exprs[1]
        {
            let pattern = Pattern::new(source).map_err(|why| format!("'{source}' is no regular expression: {why}"))?;
            return Ok((Expr::Match { function, args: exprs, pattern }, found));
        }
        Ok((Expr::Call { function, args: exprs }, found))
    }

    fn comprehension(&mut self, tree: &ComprehensionExpr) -> Checked<'a> {
        if tree.iter_var2.is_some() || !is_result_name(&tree.accu_var) {
            return Err("macros of two variables are not supported".to_owned());
        }
        let (over, range) = self.expr(&tree.iter_range)?;
        let item = match range {
            Type::Any => Type::Any,
            Type::List { item, .. } => *item,
            Type::Map(_) => Type::String,
            other => return Err(format!("{other} cannot be iterated over")),
        };
        let (start, first) = self.expr(&tree.accu_init)?;
        let (locals, in_step) = (self.locals.len(), self.in_step);
        self.locals.push((tree.iter_var.clone(), item));
        self.locals.push((tree.accu_var.clone(), first));
        self.in_step = false;
        let until = self.bool(&tree.loop_cond)?;
        self.in_step = true;
        let (step, next) = self.expr(&tree.loop_step)?;
        self.in_step = false;
        self.locals[locals + 1].1 = next;
        let (result, found) = self.expr(&tree.result)?;
        self.locals.truncate(locals);
        self.in_step = in_step;
        Ok((Expr::Loop(Box::new(Loop { over, start, until, step, result })), found))
    }
}

fn literal<'a>(literal: &LiteralValue) -> Checked<'a> {
    Ok(match literal {
        LiteralValue::Null => (Expr::Null, Type::Null),
        LiteralValue::Boolean(value) => (Expr::Bool(*value.inner()), Type::Bool),
        LiteralValue::Int(value) => (Expr::Int(*value.inner()), Type::Int),
        LiteralValue::Double(value) => (Expr::Double(*value.inner()), Type::Double),
        LiteralValue::String(value) => (Expr::Text(value.inner().to_owned()), Type::String),
        LiteralValue::UInt(_) => return Err("unsigned integers are not supported".to_owned()),
        LiteralValue::Bytes(_) => return Err("bytes are not supported".to_owned()),
    })
}

/// The variable in which macros gather their result; no identifier can be written so.
fn is_result_name(name: &str) -> bool {
    name.starts_with('@')
}

fn is_result(tree: &IdedExpr) -> bool {
    matches!(&tree.expr, Tree::Ident(name) if is_result_name(name))
}

fn unknown(name: &str, receiver: bool, types: &[Type<'_>]) -> String {
    if !function::is_known(name) {
        return format!("the function '{name}' is not supported");
    }
    let types: Vec<_> = types.iter().map(ToString::to_string).collect();
    match (receiver, types.split_first()) {
        (true, Some((target, args))) => {
            format!("found no matching overload for '{name}' applied to '{target}.({})'", args.join(", "))
        }
        _ => format!("{} applied to '({})'", no_overload(name), types.join(", ")),
    }
}

fn no_overload(name: &str) -> String {
    format!("found no matching overload for '{name}'")
}
