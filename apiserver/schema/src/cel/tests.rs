//! Expressions, as the kube-apiserver compiles and evaluates them.

use serde_json::{Value, json};

use super::{Budget, Fault, OldSelf, Program, Val, Variables};
use crate::structural::{Schema, node::Node};

fn schema() -> Schema {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "a": {"type": "integer"},
        "d": {"type": "number"},
        "s": {"type": "string"},
        "b": {"type": "boolean"},
        "when": {"type": "string", "format": "date-time"},
        "any": {"x-kubernetes-int-or-string": true},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "loose": {"x-kubernetes-preserve-unknown-fields": true},
        "list": {"type": "array", "items": {"type": "string"}},
        "ints": {"type": "array", "items": {"type": "integer"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}},
        "a-b": {"type": "integer"},
        "namespace": {"type": "string"},
        "null": {"type": "string", "nullable": true},
        "o": {"type": "object", "properties": {"x": {"type": "integer"}}},
    }}}});
    Schema::parse(schema, "~").unwrap()
}

fn value() -> Value {
    json!({
        "a": 5, "d": 2, "s": "häß-x", "b": true, "when": "2026-01-02T03:04:05Z", "any": "10%", "open": {"x": 1},
        "list": ["b", "a", "c"], "ints": [3, 1, 2], "set": ["x", "y"], "map": {"k": 1, "l": 2},
        "a-b": 7, "namespace": "n", "null": null, "o": {},
    })
}

fn evaluate<'a>(program: &'a Program, node: &'a Node, value: &'a Value) -> Result<Val<'a>, Fault> {
    let own = Val::of(value, Some(node));
    program.evaluate(Variables { own, old: None }, &mut Budget::new())
}

fn outcome(rule: &str) -> String {
    let (schema, value) = (schema(), value());
    let node = &schema.root.properties["spec"];
    let program = match Program::rule(rule, node, false, OldSelf::Value) {
        Ok(program) => program,
        Err(why) => return format!("refused: {why}"),
    };
    match evaluate(&program, node, &value) {
        Ok(Val::Bool(result)) => result.to_string(),
        Ok(_) => "no bool".to_owned(),
        Err(Fault::Error(why)) => why,
        Err(limit) => format!("{limit:?}"),
    }
}

#[test]
fn rules_that_hold() {
    for rule in [
        "self.a == 5 && self.a != 4 && self.a > 4 && self.a <= 5",
        "self.d == 2.0 && self.d < 3 && self.d / 4.0 == 0.5",
        "self.a + 1 == 6 && self.a - 6 == -1 && self.a * 2 == 10 && self.a / 2 == 2 && -self.a % 3 == -2",
        "self.s.size() == 5 && size(self.list) == 3 && size(self.map) == 2",
        "self.s.startsWith('hä') && self.s.endsWith('x') && self.s.contains('ß-')",
        "self.s.matches('^h.+x$') && !self.s.matches('^x') && self.s.find('[a-z]$') == 'x'",
        "self.s.findAll('[hx]') == ['h', 'x'] && self.s.findAll('[hx]', 1) == ['h']",
        "self.s.charAt(1) == 'ä' && self.s.indexOf('-') == 3 && self.s.lastIndexOf('nope') == -1",
        "self.s.substring(1, 3) == 'äß' && self.s.substring(4) == 'x'",
        "self.s.replace('x', 'yy') == 'häß-yy' && self.s.split('-') == ['häß', 'x'] && ' a '.trim() == 'a'",
        "self.list.join(',') == 'b,a,c' && 'aB'.lowerAscii() == 'ab' && 'aB'.upperAscii() == 'AB'",
        "'b' in self.list && !('z' in self.list) && 'k' in self.map && self.a in [1, 5]",
        "self.list.all(x, x < 'd') && self.list.exists(x, x == 'a') && self.list.exists_one(x, x == 'a')",
        "self.list.map(x, x + x) == ['bb', 'aa', 'cc'] && self.list.filter(x, x != 'a') == ['b', 'c']",
        "self.ints.map(x, x > 1, x * 2) == [6, 4]",
        "self.map.all(k, self.map[k] > 0) && self.map.k == 1 && self.map['l'] == 2",
        "self.ints.map(x, self.ints.map(y, y * x).sum()).sum() == 36",
        "!self.ints.isSorted() && self.ints.sum() == 6 && self.ints.min() == 1 && self.ints.max() == 3",
        "self.ints.indexOf(1) == 1 && self.ints[2] == 2 && [1, 2].isSorted()",
        "self.set == ['y', 'x'] && self.list != ['c', 'a', 'b']",
        "sets.contains(self.list, ['a']) && sets.equivalent(self.list, ['c', 'b', 'a']) && sets.intersects(self.list, ['a'])",
        "has(self.a) && !has(self.o.x) && has(self.when) && has(self.map.k) && !has(self.map.z)",
        "self.a__dash__b == 7 && self.__namespace__ == 'n' && self.__null__ == null",
        "self.any == '10%' && dyn(self.any).size() == 3 && int('5') == self.a && string(self.a) == '5'",
        "double(self.a) == 5.0 && int(self.d) == 2 && self.a == self.a && {'x': 1} == {'x': 1}",
        "self.b ? self.a == 5 : false",
        "self.ints[9] == 1 || true",
        "self.list.exists(x, x == 'a' || self.ints[9] == 1)",
        "self.?s.orValue('') == 'häß-x' && !self.o.?x.hasValue() && self.o.?x.orValue(3) == 3",
        "self.?s.value() == 'häß-x' && optional.of(1).or(optional.none()).hasValue()",
        "'%s is %d%%'.format([self.s, self.a]) == 'häß-x is 5%'",
    ] {
        assert_eq!(outcome(rule), "true", "{rule}");
    }
}

#[test]
fn rules_that_fail_on_this_object() {
    for (rule, why) in [
        ("self.o.x == 1", "no such key: x"),
        ("self.map.z == 1", "no such key: z"),
        ("self.ints[9] == 1", "index out of bounds: 9"),
        ("self.ints[-1] == 1", "index out of bounds: -1"),
        ("self.a / 0 == 1", "division by zero"),
        ("self.a % 0 == 1", "modulus by zero"),
        ("self.a * 9223372036854775807 == 1", "integer overflow"),
        ("self.any > 5", "no such overload"),
        ("self.list.all(x, self.ints[9] == 1)", "index out of bounds: 9"),
        ("self.s.substring(9) == ''", "index out of range: 9"),
        ("self.o.?x.value() == 1", "optional.none() dereference"),
        ("int(self.s) == 1", "strconv.ParseInt: parsing \"häß-x\": invalid syntax"),
        ("oldSelf.a == 1", "no such attribute(s): oldSelf"),
        ("self.ints.filter(x, x > 9).min() == 1", "min called on empty list"),
        ("self.s.matches(self.s + '(')", "error parsing regexp: error: unclosed group"),
        ("self.a == 4", "false"),
    ] {
        assert_eq!(outcome(rule), why, "{rule}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    for (rule, why) in [
        ("self.nope == 1", "undefined field 'nope'"),
        ("self.loose == 1", "undefined field 'loose'"),
        ("self.open.x == 1", "undefined field 'x'"),
        ("self.s.x == 1", "string has no field 'x'"),
        ("nope == 1", "undeclared reference to 'nope'"),
        ("self.a == 's'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.a > 's'", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("self.a", "the result is int, not bool"),
        ("self.s && true", "string where a bool is needed"),
        ("url(self.s).getHost() == ''", "the function 'url' is not supported"),
        ("quantity(self.s).isGreaterThan(quantity('1'))", "the function 'quantity' is not supported"),
        ("ip(self.s) == ip('::1')", "the function 'ip' is not supported"),
        ("self.s.reverse() == ''", "the function 'reverse' is not supported"),
        ("cel.bind(x, self.a, x == 1)", "undeclared reference to 'x'"),
        ("self.when == ''", "values of format date-time are not supported in rules, except in has()"),
        ("self.s.matches('(')", "'(' is no regular expression"),
        ("'%f'.format([1.0]) == ''", "the verb '%f' of format() is not supported"),
        ("self.s.format([]) == ''", "the template of format() must be spelt out"),
        ("self.set + ['x'] == []", "lists of type set or map cannot be added to"),
        ("self.o.all(x, true)", "object cannot be iterated over"),
        ("self.list['x'] == ''", "an item of list(string) cannot be found by string"),
        ("1u == 1u", "unsigned integers are not supported"),
        ("b'x' == b'x'", "bytes are not supported"),
        ("Thing{} == Thing{}", "undeclared type 'Thing'"),
        ("self.a ==", "ERROR: <input>:1:10"),
        ("(((((", "ERROR: <input>"),
        ("", "ERROR: <input>"),
    ] {
        let found = outcome(rule);
        assert!(found.starts_with(&format!("refused: {why}")), "{rule}: {found}");
    }
}

#[test]
fn a_hostile_object_ends_at_the_limit() {
    let items = json!({"type": "array", "items": {"type": "integer"}});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": items, "s": {"type": "string"}}}}});
    let schema = Schema::parse(schema, "~").unwrap();
    let node = &schema.root.properties["spec"];
    let value = json!({"l": (0..20_000).collect::<Vec<_>>(), "s": "x".repeat(1 << 20)});
    for rule in [
        "self.l.all(x, self.l.exists(y, y == x))",
        "self.l.map(x, self.l.map(y, y)).size() == 1",
        "self.l.map(x, self.s + self.s).size() == 1",
        "self.l.map(x, self.s).join(self.s) == ''",
        "self.s.replace('', self.s) == ''",
        "self.l.all(x, self.s.matches(self.s))",
        "self.l.all(x, self.s.matches('(a|x|y)*z') == false)",
    ] {
        let program = Program::rule(rule, node, false, OldSelf::Value).unwrap();
        assert_eq!(evaluate(&program, node, &value).map(|_| ()), Err(Fault::CallLimit), "{rule}");
    }
    let program =
        Program::rule("self.l.map(x, x * 2).filter(x, x > 5).size() == 19997", node, false, OldSelf::Value).unwrap();
    assert!(matches!(evaluate(&program, node, &value), Ok(Val::Bool(true))));
}
