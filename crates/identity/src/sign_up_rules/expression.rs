//! Conditions: boolean expressions in the part of CEL (the Common Expression Language) that sign-up rules need.
//! Literals, variables with dots, `!`, `&&`, `||`, comparisons, `in` with lists, `a ? b : c`, and the methods
//! `contains`, `startsWith`, `endsWith`, `matches` and `size`. Evaluating takes time linear in the length of
//! condition and text: there are no loops, and patterns are those of RE2.

use regex::RegexBuilder;

/// The longest condition, bytes.
const LONGEST: usize = 8192;
/// How deep a condition may be nested.
const DEEPEST: usize = 64;
/// The largest compiled pattern, bytes.
const LARGEST_PATTERN: usize = 256 * 1024;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
}

/// Whether a condition holds; `None` if it cannot be decided: malformed, an unknown variable, types that do not go
/// together, no boolean.
pub(super) fn holds(condition: &str, variables: &dyn Fn(&str) -> Option<Value>) -> Option<bool> {
    if condition.len() > LONGEST {
        return None;
    }
    let tokens = tokens(condition)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, variables };
    // What is decided by a part may leave errors in the rest: `true || nothing` is true, as in CEL.
    let outcome = parser.ternary()?;
    match (parser.at == tokens.len(), outcome) {
        (true, Ok(Value::Bool(holds))) => Some(holds),
        _ => None,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Number(f64),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 18] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "?", ":", "-"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            tokens.push(Token::Number(rest[..length].parse().ok()?));
            length
        } else if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..length].to_owned()));
            length
        } else if first == '"' || first == '\'' {
            let (text, length) = quoted(rest, first)?;
            tokens.push(Token::Text(text));
            length
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

/// A text in quotes, and how long it is with them.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((text, at + c.len_utf8())),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                c @ ('\\' | '"' | '\'' | '`' | '?') => c,
                _ => return None,
            }),
            c => text.push(c),
        }
    }
    None
}

/// An operand that cannot be evaluated.
struct Undecided;

type Evaluated = Result<Value, Undecided>;

/// Parses and evaluates at once. `None` is a mistake of grammar, which ends everything.
struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    variables: &'a dyn Fn(&str) -> Option<Value>,
}

impl Parser<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let takes = matches!(self.tokens.get(self.at), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(takes);
        takes
    }

    fn takes_one_of(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        signs.iter().copied().find(|sign| self.takes(sign))
    }

    fn ternary(&mut self) -> Option<Evaluated> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let condition = self.any()?;
        let outcome = if self.takes("?") {
            let yes = self.ternary()?;
            if !self.takes(":") {
                return None;
            }
            let no = self.ternary()?;
            match condition {
                Ok(Value::Bool(true)) => yes,
                Ok(Value::Bool(false)) => no,
                _ => Err(Undecided),
            }
        } else {
            condition
        };
        self.depth -= 1;
        Some(outcome)
    }

    fn any(&mut self) -> Option<Evaluated> {
        let mut value = self.all()?;
        while self.takes("||") {
            value = either(value, self.all()?, true);
        }
        Some(value)
    }

    fn all(&mut self) -> Option<Evaluated> {
        let mut value = self.relation()?;
        while self.takes("&&") {
            value = either(value, self.relation()?, false);
        }
        Some(value)
    }

    fn relation(&mut self) -> Option<Evaluated> {
        let mut value = self.unary()?;
        loop {
            if self.tokens.get(self.at) == Some(&Token::Name("in".to_owned())) {
                self.at += 1;
                value = contained(value, self.unary()?);
            } else if let Some(sign) = self.takes_one_of(&["==", "!=", "<=", ">=", "<", ">"]) {
                value = compared(sign, value, self.unary()?);
            } else {
                return Some(value);
            }
        }
    }

    fn unary(&mut self) -> Option<Evaluated> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = if self.takes("!") {
            match self.unary()? {
                Ok(Value::Bool(value)) => Ok(Value::Bool(!value)),
                _ => Err(Undecided),
            }
        } else if self.takes("-") {
            match self.unary()? {
                Ok(Value::Number(value)) => Ok(Value::Number(-value)),
                _ => Err(Undecided),
            }
        } else {
            self.member()?
        };
        self.depth -= 1;
        Some(value)
    }

    /// A primary with the methods that are called on it.
    fn member(&mut self) -> Option<Evaluated> {
        let mut value = self.primary()?;
        while self.takes(".") {
            let Some(Token::Name(method)) = self.tokens.get(self.at) else { return None };
            self.at += 1;
            if !self.takes("(") {
                return None;
            }
            let arguments = self.list(")")?;
            value = called(method, value, arguments);
        }
        Some(value)
    }

    fn primary(&mut self) -> Option<Evaluated> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(match token {
            Token::Number(number) => Ok(Value::Number(*number)),
            Token::Text(text) => Ok(Value::Text(text.clone())),
            Token::Sign("(") => {
                let value = self.ternary()?;
                if !self.takes(")") {
                    return None;
                }
                value
            }
            Token::Sign("[") => {
                let items = self.list("]")?;
                items.into_iter().collect::<Result<Vec<_>, _>>().map(Value::List)
            }
            Token::Name(name) if name == "true" || name == "false" => Ok(Value::Bool(name == "true")),
            Token::Name(name) => self.variable(name),
            Token::Sign(_) => return None,
        })
    }

    /// A name with all dotted names behind it that are no methods.
    fn variable(&mut self, first: &str) -> Evaluated {
        let mut name = first.to_owned();
        while let [Token::Sign("."), Token::Name(next), ..] = &self.tokens[self.at..]
            && self.tokens.get(self.at + 2) != Some(&Token::Sign("("))
        {
            name = format!("{name}.{next}");
            self.at += 2;
        }
        (self.variables)(&name).ok_or(Undecided)
    }

    /// Expressions with commas between them, up to the closing sign.
    fn list(&mut self, end: &str) -> Option<Vec<Evaluated>> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.ternary()?);
            if !self.takes(",") {
                return self.takes(end).then_some(items);
            }
        }
        Some(items)
    }
}

/// `||` where `decisive` is true, `&&` where it is false: one side can decide, whatever is wrong with the other.
fn either(one: Evaluated, other: Evaluated, decisive: bool) -> Evaluated {
    match (one, other) {
        (Ok(Value::Bool(value)), _) | (_, Ok(Value::Bool(value))) if value == decisive => {
            Ok(Value::Bool(value))
        }
        (Ok(Value::Bool(_)), Ok(Value::Bool(other))) => Ok(Value::Bool(other)),
        _ => Err(Undecided),
    }
}

fn contained(item: Evaluated, list: Evaluated) -> Evaluated {
    match (item?, list?) {
        (item, Value::List(items)) => Ok(Value::Bool(items.contains(&item))),
        _ => Err(Undecided),
    }
}

fn compared(sign: &str, one: Evaluated, other: Evaluated) -> Evaluated {
    let (one, other) = (one?, other?);
    let order = match (&one, &other) {
        (Value::Number(one), Value::Number(other)) => one.partial_cmp(other),
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::List(_), Value::List(_)) if matches!(sign, "==" | "!=") => {
            return Ok(Value::Bool((one == other) == (sign == "==")));
        }
        _ => None,
    };
    let order = order.ok_or(Undecided)?;
    Ok(Value::Bool(match sign {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        _ => order.is_gt(),
    }))
}

fn called(method: &str, value: Evaluated, arguments: Vec<Evaluated>) -> Evaluated {
    let value = value?;
    let arguments = arguments.into_iter().collect::<Result<Vec<_>, _>>()?;
    let holds = match (method, &value, arguments.as_slice()) {
        ("contains", Value::Text(text), [Value::Text(part)]) => text.contains(part.as_str()),
        ("startsWith", Value::Text(text), [Value::Text(part)]) => text.starts_with(part.as_str()),
        ("endsWith", Value::Text(text), [Value::Text(part)]) => text.ends_with(part.as_str()),
        ("matches", Value::Text(text), [Value::Text(pattern)]) => {
            let pattern = RegexBuilder::new(pattern).size_limit(LARGEST_PATTERN).build();
            pattern.map_err(|_| Undecided)?.is_match(text)
        }
        ("size", Value::Text(text), []) => return Ok(Value::Number(length(text.chars().count()))),
        ("size", Value::List(items), []) => return Ok(Value::Number(length(items.len()))),
        _ => return Err(Undecided),
    };
    Ok(Value::Bool(holds))
}

fn length(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(condition: &str) -> Option<bool> {
        holds(condition, &|name| match name {
            "email" => Some(Value::Text("ada@mail.example.com".to_owned())),
            "emailDomain" => Some(Value::Text("mail.example.com".to_owned())),
            "countryCode" => Some(Value::Text(String::new())),
            "riskScores.bot" => Some(Value::Number(70.0)),
            _ => None,
        })
    }

    #[test]
    fn conditions_that_hold_and_conditions_that_do_not() {
        for (condition, holds) in [
            ("true", true),
            ("!true", false),
            ("email == 'ada@mail.example.com'", true),
            ("email != \"ada@mail.example.com\"", false),
            ("emailDomain.endsWith('.example.com') && riskScores.bot > 50", true),
            ("emailDomain.startsWith('example') || email.contains('ada@')", true),
            ("email.matches('^[a-z]+@')", true),
            ("email.matches('^[0-9]+@')", false),
            ("countryCode in ['de', 'fr']", false),
            ("emailDomain in ['a.com', 'mail.example.com',]", true),
            ("riskScores.bot >= 70 ? email.size() == 20 : false", true),
            ("riskScores.bot < -1", false),
            ("(1 < 2) == (2 < 3)", true),
            ("!(email == 'x') && !('a' in [])", true),
            ("true || nothing", true),
            ("nothing && false", false),
            ("'it\\'s' == \"it's\"", true),
        ] {
            assert_eq!(decided(condition), Some(holds), "{condition}");
        }
    }

    #[test]
    fn what_cannot_be_decided_is_undecided() {
        let deep = format!("{}true{}", "(".repeat(500), ")".repeat(500));
        let bangs = format!("{}true", "!".repeat(5000));
        let long = format!("email == '{}'", "x".repeat(9000));
        for condition in [
            "",
            "email",
            "nothing",
            "email == 1",
            "email < 1",
            "1 == '1'",
            "true && nothing",
            "nothing || false",
            "email ==",
            "email == 'x",
            "email.matches('(')",
            "email.matches('a{100}{100}{100}')",
            "email.replace('a', 'b') == 'x'",
            "email.size",
            "(true",
            "true)",
            "true true",
            "a = b",
            "email; true",
            "[1, 2",
            "true ? 1",
            "1.2.3 == 1",
            "'\\x'",
            deep.as_str(),
            bangs.as_str(),
            long.as_str(),
        ] {
            assert_eq!(decided(condition), None, "{condition:.60}");
        }
    }
}
