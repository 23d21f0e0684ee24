//! From the syntax tree of the `cel` crate to a checked [`Expr`].

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr as Tree, IdedExpr, LiteralValue, MapExpr, StructExpr, operators,
};

use super::{
    environment::Environment,
    expr::{Expr, Item, Lookup, Loop},
    function::{self, Function},
    types::Type,
};
use crate::structural::node::Pattern;

mod macros;

/// How deep an expression may be nested.
const DEPTH: usize = 200;
/// The types that expressions name.
const TYPES: [&str; 16] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "kubernetes.Quantity",
    "net.CIDR",
    "net.IP",
];

type Checked<'a> = Result<(Expr, Type<'a>), String>;

/// Checks an expression in its environment; says its type and which of the environment's names it speaks of.
pub(super) fn check<'a>(
    tree: &IdedExpr,
    environment: &Environment<'a>,
) -> Result<(Expr, Type<'a>, Vec<usize>), String> {
    let mut scope = Scope { environment, locals: Vec::new(), names: Vec::new(), in_step: false, depth: 0 };
    let (expr, found) = scope.expr(tree)?;
    Ok((expr, found, scope.names))
}

/// The names that mean something where an expression stands.
struct Scope<'e, 'a> {
    environment: &'e Environment<'a>,
    locals: Vec<(String, Type<'a>)>,
    /// Names of the environment that were spoken of.
    names: Vec<usize>,
    /// Whether this is the step of a loop, which takes the result so far.
    in_step: bool,
    depth: usize,
}

// === impl Scope ===

impl<'a> Scope<'_, 'a> {
    fn expr(&mut self, tree: &IdedExpr) -> Checked<'a> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let checked = match &tree.expr {
            Tree::Literal(literal) => Ok(self::literal(literal)),
            Tree::Ident(name) => self.name(name),
            Tree::Select(select) => match self.qualified(tree) {
                Some(found) => Ok(found),
                None => {
                    let lookup = if select.test { Lookup::Test } else { Lookup::Value };
                    self.field(&select.operand, &select.field, lookup)
                }
            },
            Tree::List(list) => self.list(&list.elements, &list.optional_indices),
            Tree::Map(map) => self.map(map),
            Tree::Call(call) => self.call(call),
            Tree::Comprehension(comprehension) => self.comprehension(comprehension),
            Tree::Struct(made) => self.made(made),
            Tree::Unspecified => Err("it is empty".to_owned()),
        };
        self.depth -= 1;
        checked
    }

    /// What a local name stands for.
    fn local(&self, name: &str) -> Option<(Expr, Type<'a>)> {
        let local = self.locals.iter().rposition(|(local, _)| local == name)?;
        let expr = match is_result_name(name) {
            true => Expr::Result { local, take: self.in_step },
            false => Expr::Local(local),
        };
        Some((expr, self.locals[local].1.clone()))
    }

    fn name(&mut self, name: &str) -> Checked<'a> {
        if let Some(found) = self.local(name) {
            return Ok(found);
        }
        if let Some((index, found)) = self.environment.find(name) {
            self.names.push(index);
            return Ok((Expr::Named(index), found.clone()));
        }
        type_name(name).ok_or_else(|| format!("undeclared reference to '{name}'"))
    }

    /// What a name with dots stands for, unless it is a field of something.
    fn qualified(&mut self, tree: &IdedExpr) -> Option<(Expr, Type<'a>)> {
        let Tree::Select(select) = &tree.expr else { return None };
        let (path, root) = (spelled(tree)?, spelled_root(tree)?);
        if self.is_local(root) {
            return None;
        }
        if let Some((index, found)) = self.environment.find(&path).filter(|_| !select.test) {
            self.names.push(index);
            return Some((Expr::Named(index), found.clone()));
        }
        if root == "variables" && self.environment.is_composed() {
            let field = path.strip_prefix("variables.").filter(|field| !field.contains('.'))?;
            let (index, found) = self.environment.find_composed(field)?;
            return Some(match select.test {
                true => (Expr::Bool(true), Type::Bool),
                false => (Expr::Composed(index), found.clone()),
            });
        }
        if self.environment.find(root).is_some() { None } else { type_name(&path) }
    }

    fn field(&mut self, of: &IdedExpr, escaped: &str, lookup: Lookup) -> Checked<'a> {
        if let Tree::Ident(name) = &of.expr
            && name == "variables"
            && self.environment.is_composed()
            && !self.is_local(name)
        {
            return Err(format!("undefined field '{escaped}'"));
        }
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
        Ok((Expr::Index { of: Box::new(of), key: Box::new(key), lookup }, found))
    }

    fn list(&mut self, items: &[IdedExpr], optional: &[usize]) -> Checked<'a> {
        let mut made = Vec::new();
        let mut item: Option<Type<'a>> = None;
        for (index, one) in items.iter().enumerate() {
            let optional = optional.contains(&index);
            let (of, found) = self.item(one, optional)?;
            made.push(Item { of, optional });
            item = Some(item.map_or(found.clone(), |item| item.either(found)));
        }
        Ok((Expr::List(made), Type::list(item.unwrap_or(Type::Any))))
    }

    /// An item of what is made, and the type it has there.
    fn item(&mut self, tree: &IdedExpr, optional: bool) -> Checked<'a> {
        match self.expr(tree)? {
            (expr, Type::Optional(inner)) if optional => Ok((expr, *inner)),
            (expr, Type::Any) => Ok((expr, Type::Any)),
            (_, found) if optional => Err(format!("an optional item must be an optional value, not {found}")),
            plain => Ok(plain),
        }
    }

    fn map(&mut self, map: &MapExpr) -> Checked<'a> {
        let mut made = Vec::new();
        let (mut value, mut by_text): (Option<Type<'a>>, bool) = (None, true);
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { return Err("a field in a map".to_owned()) };
            let (key, by) = self.expr(&entry.key)?;
            let (of, found) = self.item(&entry.value, entry.optional)?;
            by_text &= by.fits(&Type::String);
            value = Some(value.map_or(found.clone(), |value| value.either(found)));
            made.push(Item { of: (key, of), optional: entry.optional });
        }
        // What the keys are is only told of maps from texts.
        let found = if by_text { Type::Map(Box::new(value.unwrap_or(Type::Any))) } else { Type::Any };
        Ok((Expr::Map(made), found))
    }

    fn made(&mut self, tree: &StructExpr) -> Checked<'a> {
        if !self.environment.makes(&tree.type_name) {
            return Err(format!("undeclared reference to '{}'", tree.type_name));
        }
        let mut fields = Vec::new();
        for entry in &tree.entries {
            let EntryExpr::StructField(entry) = &entry.expr else { return Err("an entry in an object".to_owned()) };
            let (value, found) = self.item(&entry.value, entry.optional)?;
            if tree.type_name == "JSONPatch" {
                match entry.field.as_str() {
                    "op" | "path" | "from" if found.fits(&Type::String) => {}
                    "value" => {}
                    field @ ("op" | "path" | "from") => {
                        return Err(format!(
                            "expected type of field '{field}' is 'string' but provided type is '{found}'"
                        ));
                    }
                    field => return Err(format!("undefined field '{field}'")),
                }
            }
            let field = super::name::unescape(&entry.field);
            fields.push(Item { of: (field, value), optional: entry.optional });
        }
        Ok((Expr::Made { name: tree.type_name.clone(), fields }, Type::Made(tree.type_name.clone())))
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
                _ if macros::is_macro(name, args) => self.expand(name, target, args),
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
            return Err("it is made of a macro that is not known".to_owned());
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
        Ok((Expr::Loop(Box::new(Loop { over, pairs: false, start, until, step, result })), found))
    }
}

fn literal<'a>(literal: &LiteralValue) -> (Expr, Type<'a>) {
    match literal {
        LiteralValue::Null => (Expr::Null, Type::Null),
        LiteralValue::Boolean(value) => (Expr::Bool(*value.inner()), Type::Bool),
        LiteralValue::Int(value) => (Expr::Int(*value.inner()), Type::Int),
        LiteralValue::Double(value) => (Expr::Double(*value.inner()), Type::Double),
        LiteralValue::String(value) => (Expr::Text(value.inner().to_owned()), Type::String),
        LiteralValue::UInt(value) => (Expr::Uint(*value.inner()), Type::Uint),
        LiteralValue::Bytes(value) => (Expr::Bytes(value.inner().to_vec()), Type::Bytes),
    }
}

fn type_name<'a>(name: &str) -> Option<(Expr, Type<'a>)> {
    TYPES.contains(&name).then(|| (Expr::TypeName(name.to_owned()), Type::Type))
}

/// The name with dots that a tree of selections spells.
fn spelled(tree: &IdedExpr) -> Option<String> {
    match &tree.expr {
        Tree::Ident(name) => Some(name.clone()),
        Tree::Select(select) => Some(format!("{}.{}", spelled(&select.operand)?, select.field)),
        _ => None,
    }
}

fn spelled_root(tree: &IdedExpr) -> Option<&str> {
    match &tree.expr {
        Tree::Ident(name) => Some(name),
        Tree::Select(select) => spelled_root(&select.operand),
        _ => None,
    }
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
