//! From a zone's name to its region's: `us-west-2a`, the Local Zone `us-west-2-lax-1a` and the Wavelength Zone
//! `us-west-2-wl1-las-wlz-1` are all of `us-west-2`.

/// The region of a zone; `None` if that is no zone's name.
pub(crate) fn of_zone(zone: &str) -> Option<&str> {
    let mut end = 0;
    let mut words = 0;
    let mut parts = zone.split('-').peekable();
    while let Some(part) = parts.next() {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match (digits, &part[digits..]) {
            (0, word) if !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase()) => words += 1,
            // The number ends the region's name. An availability zone adds a letter to it, other zones a part.
            (1.., letter) if words >= 2 && letter.len() <= 1 => {
                let known = match letter.bytes().next() {
                    Some(letter) => letter.is_ascii_lowercase() && parts.peek().is_none(),
                    None => parts.peek().is_some() && parts.all(is_part),
                };
                return known.then(|| &zone[..end + digits]);
            }
            _ => return None,
        }
        end += part.len() + 1;
    }
    None
}

fn is_part(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_every_kind_have_a_region() {
        let cases = [
            ("us-east-1a", "us-east-1"),
            ("ap-southeast-2c", "ap-southeast-2"),
            ("us-gov-west-1b", "us-gov-west-1"),
            ("us-isob-east-1a", "us-isob-east-1"),
            ("cn-northwest-1c", "cn-northwest-1"),
            ("eusc-de-east-1a", "eusc-de-east-1"),
            ("us-west-2-lax-1a", "us-west-2"),
            ("us-east-1-bos-1a", "us-east-1"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
            ("ap-northeast-1-wl1-nrt-wlz-1", "ap-northeast-1"),
            ("xx-anywhere-12a", "xx-anywhere-12"),
        ];
        for (zone, region) in cases {
            assert_eq!(of_zone(zone), Some(region), "{zone}");
        }
    }

    #[test]
    fn other_names_have_none() {
        let others = [
            "",
            "us",
            "us-east",
            "us-east-1",
            "use1-az1",
            "us-east-1A",
            "us-east-1ab",
            "us-east-1a-x",
            "us-east-1-",
            "us--east-1a",
            "east-1a",
            "us-east-1a.example",
            "us-east-1-x@evil.example",
            "US-EAST-1a",
        ];
        for zone in others {
            assert_eq!(of_zone(zone), None, "{zone}");
        }
    }
}
