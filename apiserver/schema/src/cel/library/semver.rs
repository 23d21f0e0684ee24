//! Versions as semver.org has them.

use std::cmp::Ordering;

/// A version. What is built does not tell versions apart.
#[derive(Clone, Debug, Eq)]
pub(in crate::cel) struct Version {
    pub(in crate::cel) major: u64,
    pub(in crate::cel) minor: u64,
    pub(in crate::cel) patch: u64,
    before: Vec<Part>,
}

/// A part of what comes before a release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

// === impl Version ===

impl Version {
    /// Reads one.
    pub(in crate::cel) fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Version string empty".to_owned());
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("No Major.Minor.Patch elements found".to_owned());
        };
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (patch, before) = rest.split_once('-').map_or((rest, None), |(patch, before)| (patch, Some(before)));
        for part in build.into_iter().flat_map(|build| build.split('.')) {
            if part.is_empty() {
                return Err("Build meta data is empty".to_owned());
            }
            if !is_plain(part) {
                return Err(format!("Invalid character(s) found in build meta data {part:?}"));
            }
        }
        let before = before.into_iter().flat_map(|before| before.split('.')).map(Part::read);
        Ok(Self {
            major: number(major, "major")?,
            minor: number(minor, "minor")?,
            patch: number(patch, "patch")?,
            before: before.collect::<Result<_, _>>()?,
        })
    }

    /// Reads one that may begin with `v`, be short, or have zeros in front of its numbers.
    pub(in crate::cel) fn read_loosely(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err("short version cannot contain PreRelease/Build meta data".to_owned());
        }
        parts.resize(3, "0".to_owned());
        Self::read(&parts.join("."))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let release = |version: &Self| (version.major, version.minor, version.patch);
        let finished = |version: &Self| version.before.is_empty();
        release(self)
            .cmp(&release(other))
            .then_with(|| finished(self).cmp(&finished(other)))
            .then_with(|| self.before.cmp(&other.before))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

// === impl Part ===

impl Part {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("Prerelease is empty".to_owned());
        }
        if text.bytes().all(|one| one.is_ascii_digit()) {
            if text.len() > 1 && text.starts_with('0') {
                return Err(format!("Numeric PreRelease version must not contain leading zeroes {text:?}"));
            }
            return text.parse().map(Part::Number).map_err(|_| out_of_range(text));
        }
        if !is_plain(text) {
            return Err(format!("Invalid character(s) found in prerelease {text:?}"));
        }
        Ok(Part::Text(text.to_owned()))
    }
}

fn number(text: &str, name: &str) -> Result<u64, String> {
    if text.is_empty() || !text.bytes().all(|one| one.is_ascii_digit()) {
        return Err(format!("Invalid character(s) found in {name} number {text:?}"));
    }
    if text.len() > 1 && text.starts_with('0') {
        let name = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        return Err(format!("{name} number must not contain leading zeroes {text:?}"));
    }
    text.parse().map_err(|_| out_of_range(text))
}

fn out_of_range(text: &str) -> String {
    format!("strconv.ParseUint: parsing {text:?}: value out of range")
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-')
}

fn without_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|one: char| one.is_ascii_digit()) { rest.to_owned() } else { format!("0{rest}") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn versions_come_in_the_order_of_semver() {
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.0.1",
            "2.0.0",
        ];
        let versions: Vec<_> = order.iter().map(|text| Version::read(text).unwrap()).collect();
        assert!(versions.is_sorted());
        assert_eq!(Version::read("1.0.0+a").unwrap(), Version::read("1.0.0+b").unwrap());
        assert_eq!(Version::read_loosely("v01.2").unwrap(), Version::read("1.2.0").unwrap());
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.x", "1.2.3-", "1.2.3-01", "1.2.3-ä", "1.2.3+"] {
            assert!(Version::read(text).is_err(), "{text}");
        }
    }
}
