//! What `dev` greets with: where it listens, the keys, and three commands to try.

use std::{fmt, path::Path};

use latchkey_config::ProjectDeclaration;

/// The greeting. The commands work when pasted into a POSIX shell, one after the other.
pub(crate) struct Banner<'a> {
    pub base_url: &'a str,
    pub project: &'a ProjectDeclaration,
    pub data_directory: &'a Path,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base_url, project, data_directory } = self;
        let key = |wanted: &str| {
            let found = project.keys.iter().find(|(name, _)| *name == wanted);
            found.map_or_else(String::new, |(_, key)| key.expose().to_owned())
        };
        let client = key("publishable_client_key");
        let headers = format!(
            "-H 'x-stack-project-id: {}' -H 'x-stack-access-type: client' -H 'x-stack-publishable-client-key: {client}'",
            project.id
        );
        let body = r#"-H 'content-type: application/json' -d '{"email":"ann@example.com","password":"blue-harbour-lantern-42"}'"#;
        write!(
            f,
            "\
Latchkey {version} for development. Data in {data}; stop with Ctrl-C.

  base URL                {base_url}
  mailbox                 {base_url}/dev/mailbox
  project id              {project_id}
  publishable client key  {client}
  secret server key       {server}
  super secret admin key  {admin}

Try it: sign up, sign in, ask who you are.

curl -s {base_url}/api/v1/auth/password/sign-up {headers} {body}

TOKEN=$(curl -s {base_url}/api/v1/auth/password/sign-in {headers} {body} | sed 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/')

curl -s {base_url}/api/v1/users/me {headers} -H \"x-stack-access-token: $TOKEN\"
",
            version = env!("CARGO_PKG_VERSION"),
            data = data_directory.display(),
            project_id = project.id,
            server = key("secret_server_key"),
            admin = key("super_secret_admin_key"),
        )
    }
}

#[cfg(test)]
mod tests {
    use latchkey_config::SecretText;

    use super::*;

    #[test]
    fn the_greeting_holds_three_commands_and_all_keys() {
        let mut project = ProjectDeclaration { id: "an-id".into(), ..Default::default() };
        project.keys.publishable_client_key = Some(SecretText::new("pck_a"));
        project.keys.secret_server_key = Some(SecretText::new("ssk_b"));
        project.keys.super_secret_admin_key = Some(SecretText::new("sak_c"));
        let data_directory = Path::new("latchkey-data");
        let banner = Banner { base_url: "http://localhost:1", project: &project, data_directory }.to_string();
        assert_eq!(banner.matches("curl -s http://localhost:1/api/v1/").count(), 3);
        for part in ["ssk_b", "sak_c", "an-id", r#"sed 's/.*"access_token" *: *"\([^"]*\)".*/\1/'"#] {
            assert!(banner.contains(part), "{part}\n{banner}");
        }
        assert_eq!(banner.matches("x-stack-publishable-client-key: pck_a").count(), 3);
    }
}
