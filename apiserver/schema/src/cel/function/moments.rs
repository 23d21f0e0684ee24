//! Parts of times and durations.

use jiff::Zoned;

use super::{
    Call, Function,
    Kind::{Duration, Int, Text, Timestamp},
    Run, method,
};
use crate::cel::{budget::Fault, moment, value::Val};

type Found<'a> = Result<Val<'a>, Fault>;

/// A part of a time, in UTC or in the zone that is named.
macro_rules! parts {
    ($($name:literal: $run:expr),* $(,)?) => {
        pub(super) const FUNCTIONS: &[Function] = &[
            $(method($name, &[Timestamp], Int, $run), method($name, &[Timestamp, Text], Int, $run),)*
            method("getHours", &[Duration], Int, HOURS),
            method("getMinutes", &[Duration], Int, MINUTES),
            method("getSeconds", &[Duration], Int, SECONDS),
            method("getMilliseconds", &[Duration], Int, MILLISECONDS),
        ];
    };
}

const HOURS: Run = |call| part(call, 3_600_000_000_000, |time| i64::from(time.hour()));
const MINUTES: Run = |call| part(call, 60_000_000_000, |time| i64::from(time.minute()));
const SECONDS: Run = |call| part(call, 1_000_000_000, |time| i64::from(time.second()));
const MILLISECONDS: Run = |call| part(call, 1_000_000, |time| i64::from(time.millisecond()));

parts! {
    "getFullYear": |call| part(call, 0, |time| i64::from(time.year())),
    "getMonth": |call| part(call, 0, |time| i64::from(time.month()) - 1),
    "getDate": |call| part(call, 0, |time| i64::from(time.day())),
    "getDayOfMonth": |call| part(call, 0, |time| i64::from(time.day()) - 1),
    "getDayOfWeek": |call| part(call, 0, |time| i64::from(time.weekday().to_sunday_zero_offset())),
    "getDayOfYear": |call| part(call, 0, |time| i64::from(time.day_of_year()) - 1),
    "getHours": HOURS,
    "getMinutes": MINUTES,
    "getSeconds": SECONDS,
    "getMilliseconds": MILLISECONDS,
}

/// A part of a time, or how often `unit` nanoseconds go into a duration.
fn part<'a>(mut call: Call<'a, '_>, unit: i64, of: fn(&Zoned) -> i64) -> Found<'a> {
    match call.arg(0)? {
        Val::Timestamp(time) => {
            let time = *time;
            let zone = if call.args.len() == 2 { call.text(1)? } else { "UTC".to_owned() };
            let known = moment::zone(&zone).ok_or_else(|| Fault::error(format!("unknown time zone {zone}")))?;
            Ok(Val::Int(of(&time.time.to_zoned(known))))
        }
        Val::Duration(duration) if unit > 0 => Ok(Val::Int(duration.0 / unit)),
        _ => Err(Fault::overload()),
    }
}
