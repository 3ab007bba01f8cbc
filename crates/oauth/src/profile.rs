//! Who somebody is, read out of whatever a provider says, by rules that are data.
//!
//! What a provider says is a set of named documents: `id_token` (its verified claims), `form` (what came with the
//! redirect), and one for each call, such as `userinfo`. A rule is a text with places: `{userinfo/name}` stands for
//! that member. Steps of a place are names of members, positions in lists, and `[primary=true]` for the first entry
//! of a list whose member has that value.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::error::UpstreamError;

/// The name of the document with the verified claims of the ID token.
pub const ID_TOKEN: &str = "id_token";
/// The name of the document that came with the redirect.
pub const FORM: &str = "form";
/// The usual name of the document that the access token opens.
pub const USERINFO: &str = "userinfo";

/// The name of the document with the addresses, where they are a call of their own.
pub const EMAILS: &str = "emails";

/// The longest account id, bytes; the limit of `sub` (OpenID Connect Core 1.0 §2).
const LONGEST_ACCOUNT_ID: usize = 255;
/// The longest name that is taken over, characters.
const LONGEST_NAME: usize = 256;
/// The longest address (RFC 5321 §4.5.3.1: 64 + 1 + 255), bytes.
const LONGEST_EMAIL: usize = 320;
/// The longest address of a picture, bytes.
const LONGEST_URL: usize = 2048;

/// Everything that a provider said about somebody.
#[derive(Debug, Clone, Default)]
pub struct Documents(Map<String, Value>);

impl Documents {
    /// Adds a document.
    pub fn insert(&mut self, name: &str, document: Value) {
        self.0.insert(name.to_owned(), document);
    }

    fn at(&self, place: &str) -> Option<&Value> {
        let mut steps = place.split('/');
        let mut value = self.0.get(steps.next()?)?;
        for step in steps {
            value = match (value, step.strip_prefix('[').and_then(|step| step.strip_suffix(']'))) {
                (Value::Array(entries), Some(condition)) => {
                    let (name, wanted) = condition.split_once('=')?;
                    entries
                        .iter()
                        .find(|entry| entry.get(name).and_then(scalar).is_some_and(|value| value == wanted))?
                }
                (Value::Array(entries), None) => entries.get(step.parse::<usize>().ok()?)?,
                (Value::Object(members), None) => members.get(step)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The text of a rule; `None` if a place in it is empty.
    fn fill(&self, rule: &str) -> Option<String> {
        let mut text = String::new();
        let mut rest = rule;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}')?;
            text.push_str(before);
            text.push_str(self.at(place).and_then(scalar).filter(|value| !value.is_empty())?.as_str());
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }

    fn first(&self, rules: &[String]) -> Option<String> {
        rules.iter().find_map(|rule| self.fill(rule))
    }

    /// A flag: true, or the text `true`, which some providers send.
    fn is_set(&self, place: &str) -> bool {
        self.at(place).and_then(scalar).is_some_and(|value| value == "true")
    }
}

/// A value as a text. Numbers must be whole: an account id of 1.5e300 would be many accounts.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a provider has verified an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailVerified {
    /// It does not say, so never.
    Never,
    /// It gives out verified addresses only.
    Always,
    /// If this place holds true.
    If(String),
    /// If this place holds anything, such as a time.
    IfPresent(String),
}

/// Where an address stands, and with it whether it is verified: the two must come from the same document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailRule {
    /// The rule for the address.
    pub address: String,
    /// Whether it is verified.
    pub verified: EmailVerified,
}

/// How to read a profile. In lists, the first rule whose places are all filled decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileRules {
    /// What never changes about the account; one rule only, so that nobody becomes somebody else when a member is
    /// missing for once.
    pub account_id: String,
    /// The address.
    pub email: Vec<EmailRule>,
    /// Whether an account without address is refused.
    pub requires_email: bool,
    /// The name to show.
    pub display_name: Vec<String>,
    /// The picture.
    pub picture: Vec<String>,
}

impl ProfileRules {
    /// Those of OpenID Connect (Core 1.0 §5.1): from the userinfo endpoint, and if there is none, from the ID token.
    pub fn openid() -> Self {
        let both =
            |member: &str| vec![format!("{{{USERINFO}/{member}}}"), format!("{{{ID_TOKEN}/{member}}}")];
        let email = |document: &str| EmailRule {
            address: format!("{{{document}/email}}"),
            verified: EmailVerified::If(format!("{document}/email_verified")),
        };
        Self {
            account_id: format!("{{{ID_TOKEN}/sub}}"),
            email: vec![email(USERINFO), email(ID_TOKEN)],
            requires_email: false,
            display_name: [both("name"), both("preferred_username")].concat(),
            picture: both("picture"),
        }
    }

    /// The same, where nobody is believed that an address is verified.
    #[must_use]
    pub fn without_verified_addresses(mut self) -> Self {
        for rule in &mut self.email {
            rule.verified = EmailVerified::Never;
        }
        self
    }

    /// One address by one place.
    pub(crate) fn with_email(mut self, address: &str, verified: EmailVerified) -> Self {
        self.email.push(EmailRule { address: address.to_owned(), verified });
        self
    }
}

/// Somebody's account at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What never changes about the account: 1 to 255 bytes, unique at the provider.
    pub account_id: String,
    /// The address as the provider spells it.
    pub email: Option<String>,
    /// Whether the provider has made sure that the address is the person's. False without address.
    pub email_verified: bool,
    /// The name to show, 256 characters at most.
    pub display_name: Option<String>,
    /// The picture, an https address.
    pub picture: Option<String>,
}

impl Profile {
    /// Reads a profile. What is only for show and cannot be used is left out.
    ///
    /// # Errors
    /// [`UpstreamError::Garbled`] without a usable account id, or if ID token and userinfo are about different people
    /// (Core 1.0 §5.3.2); [`UpstreamError::EmailMissing`] if the rules require an address.
    pub fn read(rules: &ProfileRules, documents: &Documents) -> Result<Self, UpstreamError> {
        let subject = |document: &str| documents.at(&format!("{document}/sub"));
        if let (Some(one), Some(other)) = (subject(ID_TOKEN), subject(USERINFO))
            && one != other
        {
            return Err(UpstreamError::Garbled("ID token and userinfo are about different people"));
        }
        let account_id = documents
            .fill(&rules.account_id)
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_ACCOUNT_ID && !id.contains(char::is_control))
            .ok_or(UpstreamError::Garbled("the answer does not say whose account it is"))?;
        let email = rules.email.iter().find_map(|rule| {
            let address = documents.fill(&rule.address).filter(|address| is_email(address))?;
            let verified = match &rule.verified {
                EmailVerified::Never => false,
                EmailVerified::Always => true,
                EmailVerified::If(place) => documents.is_set(place),
                EmailVerified::IfPresent(place) => {
                    documents.at(place).and_then(scalar).is_some_and(|value| !value.is_empty())
                }
            };
            Some((address, verified))
        });
        if rules.requires_email && email.is_none() {
            return Err(UpstreamError::EmailMissing);
        }
        let (email, email_verified) =
            email.map_or((None, false), |(address, verified)| (Some(address), verified));
        Ok(Self {
            account_id,
            email,
            email_verified,
            display_name: documents.first(&rules.display_name).and_then(|name| shown(&name)),
            picture: documents.first(&rules.picture).and_then(|address| picture(&address)),
        })
    }
}

/// Enough of an address to be one: what the address is good for is decided by whoever uses it.
fn is_email(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    text.len() <= LONGEST_EMAIL
        && !text.contains(odd)
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}

fn shown(name: &str) -> Option<String> {
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    let clean: String = clean.trim().chars().take(LONGEST_NAME).collect();
    (!clean.is_empty()).then(|| clean.trim_end().to_owned())
}

fn picture(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    (url.scheme() == "https" && url.as_str().len() <= LONGEST_URL).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documents(value: Value) -> Documents {
        let Value::Object(members) = value else { panic!("an object") };
        Documents(members)
    }

    fn rules(account_id: &str) -> ProfileRules {
        ProfileRules { account_id: account_id.into(), ..ProfileRules::default() }
    }

    #[test]
    fn places_are_found_by_name_position_and_condition() {
        let documents = documents(json!({"a": {
            "n": 9_007_199_254_740_993_i64, "list": [{"k": false, "v": "x"}, {"k": true, "v": "y"}], "null": null, "empty": ""
        }}));
        for (rule, expected) in [
            ("{a/n}", Some("9007199254740993")),
            ("{a/list/0/v}", Some("x")),
            ("{a/list/[k=true]/v}", Some("y")),
            ("-{a/list/0/v}-{a/list/1/v}", Some("-x-y")),
            ("plain", Some("plain")),
            ("{a/list/2/v}", None),
            ("{a/list/[k=maybe]/v}", None),
            ("{a/list/[k]/v}", None),
            ("{a/list/v}", None),
            ("{a/n/0}", None),
            ("{a/null}", None),
            ("{a/empty}", None),
            ("{a}", None),
            ("{b}", None),
            ("{a/n", None),
        ] {
            assert_eq!(documents.fill(rule).as_deref(), expected, "{rule}");
        }
    }

    #[test]
    fn an_account_without_usable_id_is_refused() {
        let long = "a".repeat(256);
        for id in [json!(null), json!(""), json!(1.5), json!(["a"]), json!({}), json!("a\nb"), json!(long)] {
            let outcome = Profile::read(&rules("{u/id}"), &documents(json!({"u": {"id": id}})));
            assert!(matches!(outcome, Err(UpstreamError::Garbled(_))), "{id}");
        }
        let profile = Profile::read(&rules("{u/id}"), &documents(json!({"u": {"id": 7}}))).unwrap();
        assert_eq!(profile.account_id, "7");
        assert!(!profile.email_verified);
    }

    #[test]
    fn an_address_is_verified_by_its_own_document_only() {
        let read = |value| Profile::read(&ProfileRules::openid(), &documents(value)).unwrap();
        let mixed = read(json!({
            "id_token": {"sub": "a", "email": "a@x.example", "email_verified": true},
            "userinfo": {"sub": "a", "email": "victim@x.example"}
        }));
        assert_eq!(mixed.email.as_deref(), Some("victim@x.example"));
        assert!(!mixed.email_verified);
        let only = read(json!({"id_token": {"sub": "a", "email": "a@x.example", "email_verified": "true"}}));
        assert!(only.email_verified, "Apple says it as a text");
        for flag in [json!(false), json!("false"), json!("yes"), json!(1), json!(null), json!([true])] {
            let profile =
                read(json!({"id_token": {"sub": "a", "email": "a@x.example", "email_verified": flag}}));
            assert!(!profile.email_verified, "{flag}");
        }
    }

    #[test]
    fn userinfo_about_somebody_else_is_refused() {
        let outcome = Profile::read(
            &ProfileRules::openid(),
            &documents(json!({"id_token": {"sub": "a"}, "userinfo": {"sub": "b"}})),
        );
        assert!(matches!(outcome, Err(UpstreamError::Garbled(_))));
    }

    #[test]
    fn what_is_for_show_is_cleaned_and_what_cannot_be_used_is_left_out() {
        let read = |name: &str, picture: &str, email: &str| {
            let value = json!({"id_token": {"sub": "a", "name": name, "picture": picture, "email": email}});
            let profile = Profile::read(&ProfileRules::openid(), &documents(value)).unwrap();
            (profile.display_name, profile.picture, profile.email)
        };
        let (name, picture, email) = read(" Ada\u{7} Lovelace ", "https://x.example/ä.png", "A@x.example");
        assert_eq!(name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(picture.as_deref(), Some("https://x.example/%C3%A4.png"));
        assert_eq!(email.as_deref(), Some("A@x.example"));
        assert_eq!(read(&"a".repeat(300), "", "").0.unwrap().len(), 256);
        for hostile in
            ["javascript:alert(1)", "http://x.example/", "data:image/png;base64,", "x", "//x.example"]
        {
            assert_eq!(read("a", hostile, "").1, None, "{hostile}");
        }
        for hostile in ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nBcc: c@d"] {
            assert_eq!(read("a", "", hostile).2, None, "{hostile}");
        }
    }

    #[test]
    fn an_account_without_address_is_refused_where_one_is_required() {
        let rules = ProfileRules { requires_email: true, ..ProfileRules::openid() };
        let outcome = Profile::read(&rules, &documents(json!({"id_token": {"sub": "a"}})));
        assert_eq!(outcome, Err(UpstreamError::EmailMissing));
    }
}
