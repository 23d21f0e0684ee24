//! The formats that strings and numbers are checked against. A format that is not known here is not checked, as the
//! kube-apiserver does not check it.

mod address;
mod checksum;
mod mail;
mod moment;
mod name;
mod uri;

pub(crate) use moment::is_date_time;

use crate::structural::node::{Type, Types};

/// A format as a schema names it, with its check.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    /// As written: errors quote it.
    pub(crate) name: String,
    pub(crate) check: Check,
}

/// What a format says of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// Of a string: whether it is well-formed.
    Text(Test),
    /// Of an integer: its range.
    Int32,
    Int64,
    /// Of a number: its range.
    Float,
    Double,
}

/// Whether a text is well-formed.
type Test = fn(&str) -> bool;

/// The formats of strings, named without the dashes, which do not count.
const TEXTS: [(&str, Test); 26] = [
    ("bsonobjectid", name::is_object_id),
    ("byte", name::is_base64),
    ("cidr", address::is_cidr),
    ("creditcard", checksum::is_credit_card),
    ("date", moment::is_date),
    ("datetime", moment::is_date_time),
    ("duration", moment::is_duration),
    ("email", mail::is_email),
    ("hexcolor", name::is_hex_color),
    ("hostname", name::is_hostname),
    ("ipv4", address::is_ipv4),
    ("ipv6", address::is_ipv6),
    ("isbn", checksum::is_isbn),
    ("isbn10", checksum::is_isbn10),
    ("isbn13", checksum::is_isbn13),
    ("k8slongname", name::is_long_name),
    ("k8sshortname", name::is_short_name),
    ("mac", address::is_mac),
    ("password", |_| true),
    ("rgbcolor", name::is_rgb_color),
    ("ssn", name::is_social_security_number),
    ("uri", uri::is_request_uri),
    ("uuid", |text| name::is_uuid(text, None)),
    ("uuid3", |text| name::is_uuid(text, Some('3'))),
    ("uuid4", |text| name::is_uuid(text, Some('4'))),
    ("uuid5", |text| name::is_uuid(text, Some('5'))),
];

/// Whether a text is well-formed in a format of this name, written without dashes.
pub(crate) fn is_text(format: &str, text: &str) -> bool {
    TEXTS.iter().any(|(known, test)| *known == format && test(text))
}

// === impl Format ===

impl Format {
    /// The format of that name for a schema of these types, if it is checked there.
    pub(crate) fn named(name: &str, types: Types) -> Option<Self> {
        let check = match types {
            Types::One(Type::Integer) => match name {
                "int32" => Check::Int32,
                "int64" => Check::Int64,
                _ => return None,
            },
            Types::One(Type::Number) => match name {
                "float" => Check::Float,
                "double" => Check::Double,
                _ => return None,
            },
            Types::One(Type::String) | Types::Any | Types::IntOrString => {
                let plain = name.replace('-', "");
                Check::Text(TEXTS.iter().find(|(known, _)| *known == plain)?.1)
            }
            Types::One(_) => return None,
        };
        Some(Self { name: name.to_owned(), check })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_counts_only_for_the_type_it_is_of() {
        let (text, integer) = (Types::One(Type::String), Types::One(Type::Integer));
        for (name, types, known) in [
            ("date-time", text, true),
            ("date-time", integer, false),
            ("int32", integer, true),
            ("int32", text, false),
            ("float", Types::One(Type::Number), true),
            ("uuid", Types::Any, true),
            ("made-up", text, false),
            ("date", Types::One(Type::Object), false),
            ("", text, false),
        ] {
            assert_eq!(Format::named(name, types).is_some(), known, "{name} {types:?}");
        }
    }

    #[test]
    fn strings_are_checked_as_the_kube_apiserver_checks_them() {
        for (format, right, wrong) in [
            ("date", vec!["2026-02-28", "2024-02-29"], vec!["2026-02-29", "2026-2-1", "", "2026-13-01", "2026-00-10"]),
            (
                "date-time",
                vec!["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123+01:00", "2026-01-02T23:59:59-12:30"],
                vec!["2026-01-02", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "", "abc"],
            ),
            (
                "duration",
                vec!["1h30m", "5s", "-1.5h", "0", "22 ns", "3 weeks", "1d", "2 hours", ".5s", "1µs"],
                vec!["", "abc", "5", "1x", "h"],
            ),
            ("byte", vec!["aGk=", "aGVsbG8h", "YQ=="], vec!["", "a", "aGk", "aG k=", "aGk_"]),
            (
                "email",
                vec!["a@b.c", "A B <a.b@c-d.e>", "\"x y\"@example.com"],
                vec!["", "a", "a@", "@b", "a b@c", "a@b@c"],
            ),
            ("hostname", vec!["example.com", "a", "1host", "a-b.example"], vec!["", "-a", "a_b", "a..b", "example.c"]),
            (
                "ipv4",
                vec!["1.2.3.4", "010.1.1.1", "::ffff:1.2.3.4", "::ffff:010.2.3.4"],
                vec!["1.2.3", "1.2.3.256", "::1", "a.b.c.d", ""],
            ),
            (
                "ipv6",
                vec!["::1", "fe80::1", "::ffff:1.2.3.4"],
                vec!["1.2.3.4", "fe80::1%eth0", "::010.2.3.4", ":::", ""],
            ),
            (
                "cidr",
                vec!["10.0.0.0/8", "010.0.0.0/08", "fd00::/8"],
                vec!["10.0.0.0", "10.0.0.0/33", "::/129", "/8", "1.2.3.4/"],
            ),
            (
                "mac",
                vec![
                    "01:23:45:67:89:ab",
                    "01-23-45-67-89-AB",
                    "0123.4567.89ab",
                    "01:23:45:67:89:ab:cd:ef",
                    "0123456789ab",
                ],
                vec!["", "01:23:45:67:89", "01:23-45:67:89:ab", "01:23:45:67:89:zz", "0123456789a"],
            ),
            (
                "uri",
                vec!["https://a.b/c?d", "/path", "mailto:x", "http://[::1]:80/", "*", "http://u:p@h/%20"],
                vec!["", "a/b", "http://a b/", "http://h:x/", "http://[::1/", "/%zz", ":x", "http://a\u{7f}"],
            ),
            (
                "uuid",
                vec!["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
                vec!["", "123e4567", "123e4567-e89b-12d3-a456-42661417400g", "123e4567--e89b-12d3-a456-426614174000"],
            ),
            (
                "uuid4",
                vec!["123e4567-e89b-42d3-a456-426614174000"],
                vec!["123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-42d3-c456-426614174000"],
            ),
            ("uuid3", vec!["123e4567-e89b-32d3-c456-426614174000"], vec!["123e4567-e89b-42d3-a456-426614174000"]),
            ("uuid5", vec!["123e4567-e89b-52d3-a456-426614174000"], vec!["123e4567-e89b-52d3-c456-426614174000"]),
            ("isbn", vec!["0321751043", "978-0321751041"], vec!["0321751044", "978-0321751042", "x"]),
            ("isbn10", vec!["0321751043", "080442957X"], vec!["978-0321751041", "0321751044"]),
            ("isbn13", vec!["978-0321751041"], vec!["0321751043", "9780321751042"]),
            ("creditcard", vec!["4012-8888-8888-1881", "5105105105105100"], vec!["4012888888881882", "1234", ""]),
            ("ssn", vec!["111-11-1111", "111 11 1111"], vec!["111111111", "11-11-11111", ""]),
            ("hexcolor", vec!["#fff", "A0b1C2"], vec!["#ffff", "", "#ggg"]),
            (
                "rgbcolor",
                vec!["rgb(0,1,255)", "rgb( 1 , 2 , 3 )"],
                vec!["rgb(256,0,0)", "rgb(1,2)", "rgb(01,2,3)", "0,1,2"],
            ),
            ("bsonobjectid", vec!["507f1f77bcf86cd799439011"], vec!["507f1f77", "507f1f77bcf86cd79943901g"]),
            ("k8s-short-name", vec!["a-1", "a"], vec!["A", "-a", "a.b", ""]),
            ("k8s-long-name", vec!["a.b-1", "a"], vec!["A", "a..b", "a.-b", ""]),
            ("password", vec!["", "anything"], vec![]),
        ] {
            let known = Format::named(format, Types::One(Type::String)).expect("the format is known");
            let Check::Text(check) = known.check else { panic!("{format} is not of strings") };
            right.iter().for_each(|text| assert!(check(text), "{format}: {text:?} is right"));
            wrong.iter().for_each(|text| assert!(!check(text), "{format}: {text:?} is wrong"));
        }
    }
}
