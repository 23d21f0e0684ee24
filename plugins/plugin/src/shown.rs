//! Errors and other words of a server, for people.

/// An error with its causes, none of which is said twice; a server's in kubectl's words.
pub fn shown(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let said = cause.to_string();
        if text.is_empty() {
            text = said;
        } else if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    let text = plain(&text);
    if text.contains("Error from server") { text } else { format!("error: {text}") }
}

/// What others have said, without what a terminal would obey.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use http::StatusCode;

    use super::*;
    use crate::Refusal;

    #[test]
    fn causes_are_said_once() {
        let error = anyhow!("no route").context("connecting: no route").context("asking");
        assert_eq!(shown(&error), "error: asking: connecting: no route");
    }

    #[test]
    fn a_server_is_quoted() {
        let code = StatusCode::CONFLICT;
        let refusal = Refusal { code, reason: String::new(), message: "no".into(), causes: vec![], retry_after: None };
        assert_eq!(shown(&refusal.into()), "Error from server: no");
    }

    #[test]
    fn a_terminal_is_told_nothing_by_others() {
        assert_eq!(plain("a\u{1b}[2Jb\r\nc"), "a\u{fffd}[2Jb\u{fffd}\nc");
    }
}
