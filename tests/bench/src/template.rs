//! Request bodies that differ in a few places only: made once, filled in for each request, so that the load generator
//! spends its time on sending.

use bytes::Bytes;

/// A body with slots.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Text and, behind each but the last, the slot that follows it.
    pieces: Vec<(Bytes, Option<usize>)>,
    length: usize,
}

// === impl Template ===

impl Template {
    /// Slot `i` is wherever `marks[i]` stands. Marks are chosen by the caller to occur nowhere else.
    pub(crate) fn new(body: &[u8], marks: &[&str]) -> Self {
        let mut pieces = Vec::new();
        let mut from = 0;
        let mut at = 0;
        while at < body.len() {
            let slot = marks.iter().position(|mark| body[at..].starts_with(mark.as_bytes()));
            let Some(slot) = slot else {
                at += 1;
                continue;
            };
            pieces.push((Bytes::copy_from_slice(&body[from..at]), Some(slot)));
            at += marks[slot].len();
            from = at;
        }
        pieces.push((Bytes::copy_from_slice(&body[from..]), None));
        Self { pieces, length: body.len() }
    }

    /// The body with `values[i]` in slot `i`.
    pub(crate) fn fill(&self, values: &[&str]) -> Bytes {
        let mut body = Vec::with_capacity(self.length + 64);
        for (text, slot) in &self.pieces {
            body.extend_from_slice(text);
            if let Some(slot) = slot {
                body.extend_from_slice(values[*slot].as_bytes());
            }
        }
        Bytes::from(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_wherever_their_mark_stands() {
        let template = Template::new(b"<b>-<a>-<b>", &["<a>", "<b>"]);
        assert_eq!(template.fill(&["1", "22"]), "22-1-22");
        assert_eq!(template.fill(&["", ""]), "--");
    }

    #[test]
    fn a_body_without_marks_stays_as_it_is() {
        assert_eq!(Template::new(b"{}", &["<a>"]).fill(&["1"]), "{}");
    }
}
