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
        "span": {"type": "string", "format": "duration"},
        "day": {"type": "string", "format": "date"},
        "bytes": {"type": "string", "format": "byte"},
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
        "a": 5, "d": 2, "s": "häß-x", "b": true, "when": "2026-01-02T03:04:05Z", "span": "1h30m",
        "day": "2026-01-02", "bytes": "aGk=", "any": "10%", "open": {"x": 1},
        "list": ["b", "a", "c"], "ints": [3, 1, 2], "set": ["x", "y"], "map": {"k": 1, "l": 2},
        "a-b": 7, "namespace": "n", "null": null, "o": {},
    })
}

fn evaluate<'a>(program: &'a Program, node: &'a Node, value: &'a Value) -> Result<Val<'a>, Fault> {
    let own = Val::of(value, Some(node));
    program.evaluate(&mut Variables { own, old: None }, &mut Budget::new())
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
        "'%.2f %e %x %X %b %o'.format([1234.5, 12.0, 255, 'k', 5, 8]) == '1,234.50 1.200000\\u202f×\\u202f10⁰¹ ff 6B 101 10'",
        "'%s %s %s'.format([[1, 'a', 2.5], {'k': true}, null]) == '[1, \"a\", 2.500000] {\"k\":true} null'",
        "self.when == timestamp('2026-01-02T03:04:05Z') && self.when.getFullYear() == 2026 && self.when.getMonth() == 0",
        "self.when.getDayOfWeek() == 5 && self.when.getHours('America/New_York') == 22 && self.when.getMinutes('+01:30') == 34",
        "self.when + duration('1h') > self.when && self.when - self.when == duration('0s') && string(self.when) == '2026-01-02T03:04:05Z'",
        "duration('90m').getHours() == 1 && duration('1.5s').getMilliseconds() == 1500 && string(duration('90m')) == '5400s'",
        "self.span == duration('1h30m') && self.span < duration('2h') && int(timestamp(5)) == 5",
        "self.day == timestamp('2026-01-02T00:00:00Z') && self.bytes == b'hi' && size(self.bytes) == 2 && string(self.bytes) == 'hi'",
        "1u + 2u == 3u && uint(3) == 3u && int(3u) == 3 && 3u == 3 && 7u % 4u == 3u && bytes('a') + b'b' == b'ab'",
        "type(self.a) == int && type(self.s) == string && type('x') != type(1) && type(self.list) == list && type(1u) == uint",
        "type(self.when) == google.protobuf.Timestamp && bool('true') && double('2.5') == 2.5 && string(1.5) == '1.5'",
        "[3, 1, 2].sort() == [1, 2, 3] && [3, 1].reverse() == [1, 3] && [1, 1, 2].distinct() == [1, 2]",
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [[1], [2, 3]].flatten() == [1, 2, 3] && [[1, [2]]].flatten(2) == [1, 2]",
        "lists.range(3) == [0, 1, 2] && self.list.sortBy(x, self.map[?x].orValue(x.size() * -1)) == ['b', 'a', 'c']",
        "[{'n': 2}, {'n': 1}].sortBy(x, x.n).map(x, x.n) == [1, 2] && [1, 2].first().value() == 1 && [].last() == optional.none()",
        "[1, 2].all(i, v, v == i + 1) && self.map.exists(k, v, k == 'l' && v == 2) && [5, 6].existsOne(i, v, v == 6)",
        "[1, 2].transformList(i, v, i + v) == [1, 3] && [1, 2].transformList(i, v, v > 1, v * v) == [4]",
        "self.map.transformMap(k, v, v + 1) == {'k': 2, 'l': 3} && {'a': 1}.transformMapEntry(k, v, {k + 'x': v}) == {'ax': 1}",
        "self.?a.optMap(x, x + 1) == optional.of(6) && self.o.?x.optMap(x, x + 1) == optional.none()",
        "self.?a.optFlatMap(x, x > 9 ? optional.of(x) : optional.none()).orValue(3) == 3",
        "[?self.?a, ?self.o.?x, 1] == [5, 1] && {?'a': self.?a, ?'x': self.o.?x} == {'a': 5}",
        "{1: 'a', 2: 'b'}[2] == 'b' && 1 in {1: 'a'} && {true: 1}.size() == 1 && {1: 2}.all(k, k == 1)",
        "url('https://e.org:80/p?x=1').getHost() == 'e.org:80' && url('https://e.org:80/p?x=1').getQuery() == {'x': ['1']}",
        "isURL('/p') && !isURL('p') && url('/p q').getEscapedPath() == '/p%20q' && url('https://[::1]:8/').getHostname() == '::1'",
        "ip('10.0.0.1').family() == 4 && isIP('::1') && !isIP('::ffff:1.2.3.4') && ip('127.0.0.1').isLoopback()",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.0'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "cidr('::/0').prefixLength() == 0 && string(cidr('10.0.0.0/8').ip()) == '10.0.0.0' && ip.isCanonical('::1')",
        "type(ip('::1')) == net.IP && !isCIDR('10.0.0.0') && ip('fe80::1').isLinkLocalUnicast() && ip('1.1.1.1').isGlobalUnicast()",
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1500m').add(quantity('1')) == quantity('2.5') && !quantity('1000m').isInteger()",
        "quantity('5').sub(2).asInteger() == 3 && quantity('100m').asApproximateFloat() == 0.1 && sign(quantity('-1')) == -1",
        "quantity('1k').compareTo(quantity('1000')) == 0 && !quantity('1m').isInteger() && isQuantity('1Ki') && !isQuantity('x')",
        "semver('1.2.3').isLessThan(semver('1.2.4-rc.1')) && semver('v1.2', true).minor() == 2 && !isSemver('v1.2.3')",
        "semver('1.0.0-a').compareTo(semver('1.0.0')) == -1 && semver('1.0.0').major() == 1",
        "!format.dns1123Label().validate('ab').hasValue() && format.dns1123Label().validate('A').value().size() == 1",
        "format.named('uuid').value().validate('x').value() == ['does not match the UUID format'] && !format.named('no').hasValue()",
        "'a-b-c'.split('-', 2) == ['a', 'b-c'] && 'abcabc'.indexOf('c', 3) == 5 && 'abcabc'.lastIndexOf('a', 2) == 0",
        "strings.quote('a\\n\"') == '\"a\\\\n\\\\\"\"' && 'abc'.split('') == ['a', 'b', 'c']",
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
        ("dyn(self.s).x == 1", "no such key: x"),
        ("dyn(self.list).x == 1", "unsupported index type 'string' in list"),
        ("self.list.all(x, self.ints[9] == 1)", "index out of bounds: 9"),
        ("self.s.substring(9) == ''", "index out of range: 9"),
        ("self.o.?x.value() == 1", "optional.none() dereference"),
        ("int(self.s) == 1", "type conversion error from 'string' to 'int'"),
        ("oldSelf.a == 1", "no such attribute(s): oldSelf"),
        ("self.ints.filter(x, x > 9).min() == 1", "min called on empty list"),
        ("self.s.matches(self.s + '(')", "error parsing regexp: error: unclosed group"),
        (
            "'%d'.format(['x']) == ''",
            "error during formatting: decimal clause can only be used on integers, was given string",
        ),
        ("'%s %s'.format([1]) == ''", "error during formatting: index 1 out of range"),
        (
            "ip('x') == ip('::1')",
            "IP Address \"x\" parse error during conversion from string: ParseAddr(\"x\"): unable to parse IP",
        ),
        ("quantity('1ki').isInteger()", "unable to parse quantity's suffix"),
        (
            "url('x').getHost() == ''",
            "URL parse error during conversion from string: parse \"x\": invalid URI for request",
        ),
        ("[1, 2].slice(1, 9) == []", "cannot slice(1, 9), list is length 2"),
        ("timestamp('9999-12-30T00:00:00Z') + duration('720h') == self.when", "timestamp overflow"),
        ("1u - 2u == 0u", "unsigned integer overflow"),
        ("semver('1.2').major() == 1", "No Major.Minor.Patch elements found"),
        ("{'a': 1}.transformMapEntry(k, v, {'x': v, ?'y': self.o.?x})['y'] == 1", "no such key: y"),
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
        ("self.s.reverse() == ''", "found no matching overload for 'reverse' applied to 'string.()'"),
        ("math.abs(1) == 1", "undeclared reference to 'math'"),
        ("cel.bind(x, self.a, x == 1)", "undeclared reference to 'cel'"),
        ("self.when == ''", "found no matching overload for '_==_' applied to '(timestamp, string)'"),
        ("authorizer.path('/').check('get').allowed()", "undeclared reference to 'authorizer'"),
        ("quantity(self.s) == ip('::1')", "found no matching overload for '_==_'"),
        ("self.a.optMap(x, x)", "int is not optional"),
        ("[?self.a]", "an optional item must be an optional value, not int"),
        ("self.s.matches('(')", "'(' is no regular expression"),
        ("self.set + ['x'] == []", "lists of type set or map cannot be added to"),
        ("self.o.all(x, true)", "object cannot be iterated over"),
        ("self.list['x'] == ''", "an item of list(string) cannot be found by string"),
        ("Object{} == Object{}", "undeclared reference to 'Object'"),
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
