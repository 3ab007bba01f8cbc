//! `admin create`: the first person who administers the declared projects.

use std::{fs, io, path::Path};

use latchkey_config::SecretText;
use serde_json::json;

use crate::{
    cli::{AdminFlags, Common},
    configuration, log,
    output::{Failed, Output},
    wire,
};

/// Creates the user. A password that was made here is printed, once.
pub(crate) async fn create(common: Common, flags: AdminFlags, output: &Output) -> Result<(), Failed> {
    let config = configuration::load(&common, Vec::new(), Vec::new())?;
    log::start(&config.log)?;
    let given = flags.password_file.as_deref().map(read_password).transpose()?;
    let made = given.is_none();
    let password = match given {
        Some(password) => password,
        None => make_password(&wire::random()),
    };
    let user_id = wire::create_admin(&config, &flags.email, flags.display_name.as_deref(), &password).await?;
    let mut result = json!({ "ok": true, "user_id": user_id, "email": flags.email });
    let mut text = format!("Created {} as user {user_id}.", flags.email);
    if made {
        result["password"] = password.expose().into();
        text = format!("{text}\nPassword: {}", password.expose());
    }
    output.result(text, &result);
    Ok(())
}

/// The first line of a file, or of standard input when it is `-`.
fn read_password(path: &Path) -> Result<SecretText, Failed> {
    let text =
        if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    let text = text
        .map_err(|error| Failed::new(format!("cannot read the password from {}: {error}", path.display())))?;
    let text = zeroize::Zeroizing::new(text);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(SecretText::new(line)),
        _ => Err(Failed::new(format!("{} holds no password", path.display()))),
    }
}

/// 100 random bits as groups of letters and digits that are easy to type.
fn make_password(fill: &dyn Fn(&mut [u8])) -> SecretText {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = zeroize::Zeroizing::new([0_u8; 20]);
    fill(bytes.as_mut_slice());
    let groups: Vec<String> = bytes
        .chunks(5)
        .map(|group| group.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
        .collect();
    SecretText::new(groups.join("-"))
}
