//! Who may issue: issuers as data, since some providers have several names, and one has as many as it has customers.

/// Who may have issued a token or an answer. Compared character by character (OpenID Connect Core 1.0 §3.1.3.7, RFC
/// 8414 §3.3): an issuer is a name that looks like a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// This one.
    Exactly(String),
    /// One for each customer of the provider: `before`, the id of the tenant, `after`.
    Tenant {
        /// What stands before the id.
        before: String,
        /// What stands after it.
        after: String,
        /// Tenants that are not accepted.
        except: Vec<String>,
    },
}

impl Issuer {
    /// One issuer.
    pub fn exactly(name: impl Into<String>) -> Self {
        Self::Exactly(name.into())
    }

    /// Whether this is the issuer's name.
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::Exactly(issuer) => issuer == name,
            Self::Tenant { .. } => self.tenant(name).is_some(),
        }
    }

    /// The tenant that an issuer's name holds, if tenants are told apart by it: a UUID in lower case.
    pub fn tenant<'n>(&self, name: &'n str) -> Option<&'n str> {
        let Self::Tenant { before, after, except } = self else { return None };
        let tenant = name.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
        (is_uuid(tenant) && !except.iter().any(|other| other == tenant)).then_some(tenant)
    }
}

/// Whether a text is a UUID in lower case. Anything else in the place of a tenant could change the URL's meaning.
pub(crate) fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(is_hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    #[test]
    fn issuers_are_compared_character_by_character() {
        let issuer = Issuer::exactly("https://id.example");
        assert!(issuer.is("https://id.example"));
        for other in [
            "",
            "https://id.example/",
            "https://id.example.evil.example",
            "https://ID.example",
            "http://id.example",
            "https://id.example:443",
            "https://evil.example/https://id.example",
        ] {
            assert!(!issuer.is(other), "{other}");
        }
    }

    #[test]
    fn a_tenant_is_a_uuid_in_its_place_and_nothing_else() {
        let issuer = Issuer::Tenant {
            before: "https://login.example/".into(),
            after: "/v2.0".into(),
            except: vec![OTHER.into()],
        };
        let name = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
        assert_eq!(issuer.tenant(&name(TENANT)), Some(TENANT));
        assert!(issuer.is(&name(TENANT)));
        for tenant in [
            "",
            OTHER,
            "common",
            "{tenantid}",
            &TENANT.to_uppercase(),
            &format!("{TENANT}/x"),
            &format!("evil/{TENANT}"),
            &TENANT[1..],
            &TENANT.replace('-', "/"),
        ] {
            assert!(!issuer.is(&name(tenant)), "{tenant}");
        }
        assert!(!issuer.is(&format!("https://login.example/{TENANT}/v2.0/")));
        assert!(!issuer.is(&format!("https://login.example.evil/{TENANT}/v2.0")));
        assert!(!issuer.is("https://login.example/v2.0"));
    }
}
