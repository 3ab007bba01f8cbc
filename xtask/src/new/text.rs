//! Editing source text line by line, and judging names.

/// Puts `line` among the lines that are its like, in order; gives the text unchanged if it has the line.
///
/// Lines are alike when they begin with the same words up to the name that differs: `pub mod`, `mod`,
/// `routes.extend(`, `Migration {`. Where the order of the others is not alphabetical, the line follows the last.
pub fn insert_line_sorted(text: &str, line: &str) -> Result<String, String> {
    let kind = ["pub mod ", "mod ", "    routes.extend(", "    Migration { name: "]
        .into_iter()
        .find(|kind| line.starts_with(kind))
        .ok_or_else(|| format!("nobody knows where `{line}` belongs"))?;
    let mut lines: Vec<_> = text.lines().collect();
    if lines.contains(&line) {
        return Ok(text.to_owned());
    }
    let alike: Vec<_> = (0..lines.len()).filter(|&at| lines[at].starts_with(kind)).collect();
    let last = *alike.last().ok_or_else(|| format!("there is no line like `{line}` to put it beside"))?;
    let is_sorted = alike.is_sorted_by(|a, b| lines[*a] <= lines[*b]);
    let before = alike.into_iter().find(|&at| is_sorted && lines[at] > line);
    lines.insert(before.unwrap_or(last + 1), line);
    Ok(lines.join("\n") + "\n")
}

/// Whether `name` can be a module and a table: lower-case words joined by underscores.
pub fn is_noun(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// Whether `code` is written as error codes are.
pub fn is_error_code(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The name of an enum's variant for an error code: `TEAM_IS_FULL` is `TeamIsFull`.
pub fn variant(code: &str) -> String {
    code.split('_')
        .filter_map(|word| {
            let first = word.get(..1)?;
            Some(first.to_owned() + &word[1..].to_lowercase())
        })
        .collect()
}
