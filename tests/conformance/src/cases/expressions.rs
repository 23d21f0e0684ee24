//! What expressions of policies come to, as warnings show it.

use anyhow::Result;
use serde_json::json;

use crate::cx::Cx;
use crate::policy::{Policy, install, remove};
use super::policies::{values, errors, try_under, applying, patching};

cases! {
    Widgets: [
        values_of_texts,
        values_of_lists,
        values_of_times,
        values_of_numbers,
        values_of_addresses,
        values_of_quantities_and_versions,
        values_of_formats,
        values_of_optionals,
        values_of_two_variables,
        values_of_types,
        values_of_objects,
        errors_of_values,
        mutations_of_lists,
        mutations_that_the_schema_forbids,
    ],
}

async fn values_of_texts(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "'abc'.charAt(1) + 'abc'.substring(1) + 'abc'.substring(0, 2)",
        "'abcabc'.indexOf('c', 3)",
        "'abcabc'.lastIndexOf('a', 2)",
        "'abc'.indexOf('', 2)",
        "'a-b-c'.split('-', 2)",
        "'abc'.split('')",
        "'a b'.replace(' ', '__', 1) + ' x '.trim()",
        "['a', 'b'].join('-') + 'Ab'.lowerAscii() + 'Ab'.upperAscii()",
        "'x1y22'.find('[0-9]+') + string('x1y22'.findAll('[0-9]+').size())",
        "'%.2f|%x|%X|%b|%o'.format([1234.5, 255, 'k', 5, 8])",
        "'%s|%s|%s'.format([[1, 'a', 2.5, true], {'k': null}, duration('90m')])",
        "strings.quote('a\\n\\t\"x')",
        "'%d|%s'.format([7u, b'hi'])",
        "'%s'.format([type(1)])",
        "'ä'.size() + 'äb'.indexOf('b')",
        "'%.3f'.format([-1234567.0])",
    ];
    values(cx, &expressions).await
}

async fn values_of_lists(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "[3, 1, 2].sort()",
        "[3, 1, 2].reverse()",
        "[1, 1, 2].distinct()",
        "[1, 2, 3, 4].slice(1, 3)",
        "[[1], [2, 3]].flatten()",
        "lists.range(3)",
        "['bb', 'a'].sortBy(x, size(x))",
        "[1, 2].sum() + [1, 2].max() - [1, 2].min()",
        "[1, 2, 1].indexOf(1) + [1, 2, 1].lastIndexOf(1)",
        "[1, 3, 2].isSorted()",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1]) && sets.intersects([1], [2])",
        "[1, 2].map(x, x * 2) + [1, 2, 3].filter(x, x > 2)",
        "[1, 2, 3].exists_one(x, x == 2)",
        "[1, 2] + [3]",
        "[1, 2].first().value()",
        "[dyn(1), dyn('a')]",
    ];
    values(cx, &expressions).await
}

async fn values_of_times(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "string(timestamp('2026-01-02T03:04:05.25+01:00'))",
        "timestamp('2026-01-02T03:04:05Z').getFullYear() + timestamp('2026-01-02T03:04:05Z').getMonth()",
        "timestamp('2026-01-02T03:04:05Z').getDate() + timestamp('2026-01-02T03:04:05Z').getDayOfMonth()",
        "timestamp('2026-01-02T03:04:05Z').getDayOfWeek() + timestamp('2026-03-02T03:04:05Z').getDayOfYear()",
        "timestamp('2026-01-02T03:04:05Z').getHours('America/New_York')",
        "timestamp('2026-01-02T03:04:05Z').getMinutes('+01:30')",
        "timestamp('2026-01-02T03:04:05.125Z').getMilliseconds()",
        "string(timestamp('2026-01-02T03:04:05Z') + duration('1h'))",
        "string(timestamp('2026-01-02T03:04:05Z') - timestamp('2026-01-01T00:00:00Z'))",
        "duration('90m').getHours() + duration('90m').getMinutes() + duration('1.5s').getSeconds()",
        "duration('61.5s').getMilliseconds()",
        "string(duration('1.5s') - duration('3s'))",
        "int(timestamp(5)) + int(duration('1s'))",
        "timestamp('2026-01-02T03:04:05Z') < timestamp(0)",
        "timestamp('2026-01-02T03:04:05Z')",
        "[duration('1s'), duration('2h')]",
    ];
    values(cx, &expressions).await
}

async fn values_of_numbers(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "1u + 2u",
        "uint(3) == 3u && int(3u) == 3 && dyn(3u) == dyn(3)",
        "7u % 4u + 7u / 4u * 2u",
        "double('2.5') + 1.0",
        "string(1.5) + string(1e21) + string(0.00001) + string(100.0)",
        "int(2.9) + int(-2.9) + int('7')",
        "bool('true') && !bool('0')",
        "bytes('ab').size() + b'abc'.size()",
        "1 / 2 + -7 / 2 + -7 % 3",
        "1.0 / 0.0",
        "2 > 1.5 && 1u < 2",
        "[1.0, 2.5, 1e10]",
    ];
    values(cx, &expressions).await
}

async fn values_of_addresses(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "ip('10.0.0.1').family() + ip('::1').family()",
        "isIP('::ffff:1.2.3.4') || isIP('1.2.3') || isIP('01.2.3.4') || isIP('fe80::1%eth0')",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0:0:0:0:0:0:1')",
        "ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast() && ip('10.0.0.1').isGlobalUnicast()",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('0.0.0.0').isUnspecified()",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')",
        "string(cidr('10.1.2.3/8').masked()) + string(cidr('10.1.2.3/8').ip())",
        "cidr('::/0').prefixLength() + cidr('10.0.0.0/24').prefixLength()",
        "isCIDR('10.0.0.0') || isCIDR('10.0.0.0/33') || isCIDR('10.0.0.0/08')",
        "url('https://u@e.org:80/p q?x=1&x=2#f').getHost() + url('https://e.org:80/').getPort() + url('https://[::1]:8/').getHostname()",
        "url('https://e.org/p q').getEscapedPath() + url('/path').getScheme()",
        "url('https://e.org/?b=1&a=2&b=3').getQuery()",
        "isURL('/p') && !isURL('p') && isURL('https:/x')",
        "ip('1.2.3.4') == ip('1.2.3.4') && cidr('10.0.0.0/8') == cidr('10.0.0.0/8')",
    ];
    values(cx, &expressions).await
}

async fn values_of_quantities_and_versions(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('1k').compareTo(quantity('1000')) == 0",
        "quantity('5').sub(2).asInteger() + quantity('1500m').add(quantity('500m')).asInteger()",
        "quantity('100m').asApproximateFloat()",
        "sign(quantity('-1')) + sign(quantity('0'))",
        "quantity('1m').isInteger() || isQuantity('1ki') || isQuantity('x')",
        "quantity('2.5') == quantity('2500m')",
        "semver('1.2.3').isLessThan(semver('1.2.4-rc.1')) && semver('1.0.0-alpha.1').isLessThan(semver('1.0.0-alpha.beta'))",
        "semver('v1.02', true).minor() + semver('1.2.3+b').patch() + semver('4.0.0').major()",
        "isSemver('v1.2.3') || isSemver('1.2') || !isSemver('v1', true)",
        "semver('1.0.0+a') == semver('1.0.0+b') && semver('1.0.0-a').compareTo(semver('1.0.0')) == -1",
    ];
    values(cx, &expressions).await
}

async fn values_of_formats(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "format.dns1123Label().validate('ab').hasValue()",
        "format.dns1123Label().validate('A').value().size()",
        "format.dns1035Label().validate('1a').hasValue() && format.dns1035LabelPrefix().validate('a-').hasValue()",
        "format.named('uuid').value().validate('x').value()",
        "format.named('nope').hasValue()",
        "format.uri().validate('p').value()",
        "format.byte().validate('??').value() + format.date().validate('x').value() + format.datetime().validate('x').value()",
        "format.labelValue().validate('a b').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()",
    ];
    values(cx, &expressions).await
}

async fn values_of_optionals(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "object.?spec.?nope.orValue('none')",
        "object.spec.?size.optMap(x, x + 1).value()",
        "object.spec.?nope.optMap(x, x + 1).hasValue()",
        "optional.of(5).optFlatMap(x, x > 9 ? optional.of(x) : optional.none()).hasValue()",
        "[?object.spec.?size, ?object.spec.?nope].size()",
        "{?'a': object.spec.?size, ?'b': object.spec.?nope}.size()",
        "optional.none().or(optional.of(3)).value()",
        "optional.ofNonZeroValue(0).hasValue()",
        "object.metadata.labels[?'l'].value()",
        "has(object.spec.nope) || has(object.metadata.labels.l)",
    ];
    values(cx, &expressions).await
}

async fn values_of_two_variables(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "[1, 2].all(i, v, v == i + 1)",
        "{'a': 1, 'b': 2}.exists(k, v, k == 'b' && v == 2)",
        "[5, 6].existsOne(i, v, v == 6)",
        "[1, 2].transformList(i, v, i + v)",
        "[1, 2].transformList(i, v, v > 1, v * v)",
        "{'a': 1}.transformMap(k, v, v + 1)",
        "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2)",
        "{'a': 1}.transformMapEntry(k, v, {k + 'x': v})",
        "['a', 'b'].transformMapEntry(i, v, {v: i})",
        "{1: 'a', 2: 'b'}[2] + {true: 'x'}[true]",
    ];
    values(cx, &expressions).await
}

async fn values_of_types(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "type(object.spec.size) == int && type(object) == map && type(object.spec.tags) == list",
        "type(1u) == uint && type(null) == null_type && type(type(1)) == type",
        "type(timestamp(0)) == google.protobuf.Timestamp && type(ip('::1')) == net.IP",
        "dyn(1) == dyn('a') || dyn([1]) == dyn([1.0])",
        "{'a': 1} == {'a': 1} && [1, 2] != [2, 1]",
        "dyn(1) == dyn(1.0) && dyn(1u) in [dyn(1)]",
    ];
    values(cx, &expressions).await
}

async fn values_of_objects(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "object.spec.tags",
        "object.spec.size + 1",
        "object.metadata.labels",
        "object.spec.ports[0].port",
        "object.spec.ports.map(p, p.name)",
        "object.apiVersion.split('/')[1] + object.kind",
        "'a' in object.spec.tags && !('z' in object.metadata.labels)",
        "object.spec.extra.x[0]",
        "oldObject == null",
        "object.metadata.labels.exists(l, l == 'l')",
    ];
    values(cx, &expressions).await
}

async fn errors_of_values(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "object.spec.nope",
        "object.spec.ports[7]",
        "object.spec.tags['x']",
        "object.spec.size.nope",
        "oldObject.spec",
        "dyn(object.spec.size) + 'x'",
        "dyn(object.metadata.name) > 5",
        "object.spec.size / (object.spec.size - 2)",
        "[1, 2].slice(1, object.spec.size + 9)",
        "uint(-object.spec.size)",
        "{'a': 1}[object.metadata.name + 'b']",
        "object.?spec.?nope.value()",
        "int(double(object.spec.size) * 1e99)",
        "int(object.metadata.name)",
        "duration(object.metadata.name)",
        "ip(object.metadata.name)",
        "quantity(object.metadata.name)",
        "semver(object.metadata.name)",
        "url(object.metadata.name)",
        "cidr(object.metadata.name)",
        "'%d'.format([dyn(object.metadata.name)])",
        "object.metadata.name.substring(9)",
        "timestamp('2026-01-02T03:04:05Z').getHours(object.metadata.name)",
        "dyn(object.spec.tags) && true",
        "object.metadata.name ? 1 : 2",
        "format.named(object.metadata.name).value()",
    ];
    errors(cx, &expressions).await
}

async fn mutations_of_lists(cx: &mut Cx) -> Result<()> {
    for mutation in [
        applying("Object{spec: Object.spec{tags: ['b', 'c']}}"),
        applying("Object{spec: Object.spec{ports: [Object.spec.ports{port: 80, name: 'changed'}, Object.spec.ports{port: 81}]}}"),
        applying("Object{spec: Object.spec{size: 5, color: 'red'}}"),
        patching("[JSONPatch{op: 'add', path: '/spec/tags/-', value: 'z'}, JSONPatch{op: 'remove', path: '/spec/ports'}]"),
        patching("[JSONPatch{op: 'add', path: '/spec/tags/9', value: 'z'}]"),
    ] {
        let policies = [Policy::mutating(cx, "lists", &json!({"mutations": [mutation]}))];
        install(cx, &policies).await?;
        let object = cx.object_with("a", &json!({"spec": cx.subject.spec(1)}));
        cx.say(&mutation.to_string()).post("{r}?dryRun=All", &object).await?;
        remove(&policies).await?;
    }
    Ok(())
}

async fn mutations_that_the_schema_forbids(cx: &mut Cx) -> Result<()> {
    for mutation in [
        applying("Object{spec: Object.spec{size: -5}}"),
        applying("Object{spec: Object.spec{nope: 1}}"),
        applying("Object{spec: Object.spec{ports: [Object.spec.ports{name: 'no port'}]}}"),
        applying("Object{spec: Object.spec{tags: ['a', 'a']}}"),
        patching("[JSONPatch{op: 'add', path: '/spec/nope', value: 1}]"),
        patching("[JSONPatch{op: 'replace', path: '/spec/size', value: 'big'}]"),
        patching("[JSONPatch{op: 'replace', path: '/metadata/name', value: 'other'}]"),
        patching("[JSONPatch{op: 'remove', path: '/spec'}]"),
    ] {
        let policies = [Policy::mutating(cx, "bad", &json!({"mutations": [mutation]}))];
        try_under(cx, &mutation.to_string(), &policies).await?;
    }
    Ok(())
}
