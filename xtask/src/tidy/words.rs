//! Words that have no place in the repository: paths of one machine, hosts of registries, notes to oneself.

use super::files::Source;

/// In pieces, so that this file does not hold them itself.
const ANYWHERE: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("cra", "tes.io"),
    concat!("py", "pi.org"),
    concat!("pythonho", "sted.org"),
    concat!("proxy.go", "lang.org"),
    concat!("deb.deb", "ian.org"),
    concat!("registry.np", "mjs"),
];

const IN_CODE: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];

/// Files that machines write.
const GENERATED: &[&str] = &["Cargo.lock", "go.sum", "go.mod"];

/// Every line with such a word.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let written = sources.iter().filter(|source| !GENERATED.iter().any(|name| source.path.ends_with(name)));
    written.flat_map(words).collect()
}

fn words(source: &Source) -> Vec<String> {
    let code = source.path.ends_with(".rs");
    let banned: Vec<&str> = ANYWHERE.iter().chain(IN_CODE.iter().filter(|_| code)).copied().collect();
    let in_line = |(number, line): (usize, &str)| {
        let word = banned.iter().find(|word| line.contains(**word))?;
        Some(format!("{}:{}: {word} has no place here", source.path, number + 1))
    };
    source.text.lines().enumerate().filter_map(in_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_line() {
        let source = |path: &str, text: String| Source { path: path.to_owned(), text };
        let text = format!("fine\n// {}{}: later\n", "TO", "DO");
        assert_eq!(check(&[source("a.rs", text.clone())]), [format!("a.rs:2: {}{} has no place here", "TO", "DO")]);
        assert!(check(&[source("a.md", text)]).is_empty());
        assert!(check(&[source("Cargo.lock", format!("cra{}", "tes.io"))]).is_empty());
    }
}
