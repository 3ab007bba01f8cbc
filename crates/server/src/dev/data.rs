//! The data directory of `dev`: the project's id and keys, and the master key, made once.

use std::{fs, io, path::Path};

use latchkey_config::{DEV_MARK, MasterKey, ProjectDeclaration, ProjectKeys, ProjectSettings, SecretText};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    files::{make_private_directory, write_private},
    output::Failed,
};

/// What the directory holds beside the database.
pub(crate) struct DevData {
    /// The default project with its keys.
    pub project: ProjectDeclaration,
    /// The master key as `ID:BASE64`.
    pub master_key: SecretText,
}

/// `dev.json`.
#[derive(Serialize, Deserialize)]
struct Stored {
    project_id: String,
    #[serde(flatten)]
    keys: ProjectKeys,
}

/// Crockford's base32 in lower case, of which server-made keys consist.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a key behind its prefix.
const KEY_LENGTH: usize = 45;

impl DevData {
    /// Opens the directory, making it and what is missing in it. `fill` draws random bytes.
    pub fn open(directory: &Path, fill: &dyn Fn(&mut [u8])) -> Result<Self, Failed> {
        make_private_directory(directory).map_err(|error| {
            Failed::new(format!("cannot make the directory {}: {error}", directory.display()))
        })?;
        let project = directory.join("dev.json");
        let text = read_or_make(&project, || {
            let stored = Stored { project_id: project_id(fill), keys: project_keys(fill) };
            serde_json::to_string_pretty(&stored).unwrap_or_default() + "\n"
        })?;
        let stored: Stored = serde_json::from_str(&text).map_err(|error| {
            Failed::new(format!(
                "{} cannot be read: {error}; delete it to have new keys made, or repair it",
                project.display()
            ))
        })?;
        let master_key = read_or_make(&directory.join("master.key"), || {
            let mut key = MasterKey { id: DEV_MARK.into(), bytes: Zeroizing::default() };
            fill(key.bytes.as_mut_slice());
            format!("{}\n", key.to_text().expose())
        })?;
        let mut settings = ProjectSettings::for_new_project();
        settings.auth.passkey.allow_sign_in = true;
        settings.auth.otp.allow_sign_in = true;
        Ok(Self {
            project: ProjectDeclaration {
                id: stored.project_id,
                display_name: "Development".into(),
                keys: stored.keys,
                settings,
                ..ProjectDeclaration::default()
            },
            master_key: SecretText::new(master_key.trim_end()),
        })
    }
}

fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> Result<Zeroizing<String>, Failed> {
    let failed =
        |what: &str, error: io::Error| Failed::new(format!("cannot {what} {}: {error}", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = Zeroizing::new(make());
            write_private(path, text.as_bytes()).map_err(|error| failed("write", error))?;
            Ok(text)
        }
        Err(error) => Err(failed("read", error)),
    }
}

fn project_id(fill: &dyn Fn(&mut [u8])) -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn project_keys(fill: &dyn Fn(&mut [u8])) -> ProjectKeys {
    // The mark behind the prefix is how `serve` knows these keys again; 195 random bits remain.
    let key = |prefix: &str| {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH - DEV_MARK.len()]);
        fill(bytes.as_mut_slice());
        let random = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Some(SecretText::new(prefix.chars().chain(DEV_MARK.chars()).chain(random).collect::<String>()))
    };
    ProjectKeys {
        publishable_client_key: key("pck_"),
        secret_server_key: key("ssk_"),
        super_secret_admin_key: key("sak_"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Bytes that differ from call to call.
    fn counting() -> impl Fn(&mut [u8]) {
        let next = Cell::new(7_u8);
        move |bytes| {
            for byte in bytes {
                next.set(next.get().wrapping_mul(13).wrapping_add(101));
                *byte = next.get();
            }
        }
    }

    fn directory(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("latchkey-dev-data-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_second_start_finds_the_same_project_and_keys() {
        let path = directory("same");
        let first = DevData::open(&path, &counting()).unwrap();
        let second = DevData::open(&path, &|_| panic!("nothing is drawn anew")).unwrap();
        assert_eq!(first.project, second.project);
        assert_eq!(first.master_key, second.master_key);
        assert_eq!(MasterKey::parse_list(first.master_key.expose()).unwrap()[0].id, DEV_MARK);
        let keys: Vec<_> = first.project.keys.iter().map(|(_, key)| key.expose().to_owned()).collect();
        assert_eq!(keys.len(), 3);
        for (key, prefix) in keys.iter().zip(["pck_devkey", "ssk_devkey", "sak_devkey"]) {
            assert!(key.starts_with(prefix) && key.len() == 4 + KEY_LENGTH, "{key}");
        }
        fs::remove_dir_all(path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn directory_and_files_are_private() {
        use std::os::unix::fs::MetadataExt as _;
        let path = directory("private");
        DevData::open(&path, &counting()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("dev.json")), 0o600);
        assert_eq!(mode(&path.join("master.key")), 0o600);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "no temporary file stays");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn serve_refuses_what_dev_has_made() {
        let path = directory("refused");
        let data = DevData::open(&path, &counting()).unwrap();
        let mut config = latchkey_config::Config::default();
        config.server.public_url = Some("https://auth.example.com".parse().unwrap());
        config.security.master_keys = Some(data.master_key.clone());
        config.projects.push(data.project);
        let refused: Vec<_> = config.check_for_production().into_iter().map(|problem| problem.key).collect();
        assert_eq!(
            refused,
            [
                "security.master_keys",
                "project.0.keys.publishable_client_key",
                "project.0.keys.secret_server_key",
                "project.0.keys.super_secret_admin_key",
            ]
        );
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_damaged_file_is_told_and_kept() {
        let path = directory("damaged");
        make_private_directory(&path).unwrap();
        fs::write(path.join("dev.json"), "{").unwrap();
        assert!(DevData::open(&path, &counting()).is_err());
        assert_eq!(fs::read_to_string(path.join("dev.json")).unwrap(), "{");
        fs::remove_dir_all(path).unwrap();
    }
}
