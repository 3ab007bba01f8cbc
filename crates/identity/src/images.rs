//! Pictures of users, teams, members and projects (contract 05 §5): which are accepted, where those that came inline
//! are kept, and how they are served. What is served is what the bytes show, never what the sender says.

mod format;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_api_types::AccessType;
use latchkey_api_types::ids::{ImageId, ProjectId, TeamId, UserId};
use latchkey_api_types::image::{ImageFolder, ImagePath};
use latchkey_storage::engine::Stmt;
use latchkey_storage::images::{self, ImageRow};

use crate::app::App;
use crate::failure::Failure;
use crate::projects;
pub use format::Format;

/// The longest payload, in characters of base64.
const MOST_BASE64: usize = 1_000_000;
/// The formats that clients may declare.
const DECLARED_BY_CLIENTS: [&str; 6] = ["png", "jpg", "jpeg", "gif", "bmp", "webp"];

/// The place that a picture fills. A place holds at most one picture.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// The profile of a user.
    User(UserId),
    /// The profile of a team.
    Team(TeamId),
    /// The profile of a user in one team.
    Member(TeamId, UserId),
    /// One of the logos of a project, by the name of its field.
    ProjectLogo(&'static str),
}

impl Owner {
    fn folder(self) -> ImageFolder {
        match self {
            Self::User(_) => ImageFolder::Users,
            Self::Team(_) => ImageFolder::Teams,
            Self::Member(..) => ImageFolder::Members,
            Self::ProjectLogo(_) => ImageFolder::Projects,
        }
    }

    fn key(self) -> String {
        match self {
            Self::User(user) => format!("user:{user}"),
            Self::Team(team) => format!("team:{team}"),
            Self::Member(team, user) => format!("member:{team}:{user}"),
            Self::ProjectLogo(field) => format!("logo:{field}"),
        }
    }
}

/// How the addresses of our own pictures begin as they are stored: without that of the server, which may change.
const OWN: &str = "/api/v1/images/";

/// The address of a picture as it is shown, made of the stored one.
pub(crate) fn shown(public_url: &str, stored: Option<String>) -> Option<String> {
    stored.map(|url| if url.starts_with(OWN) { format!("{public_url}{url}") } else { url })
}

/// A picture that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// What to store; `None` if there is to be no picture.
    pub url: Option<String>,
    /// To be run in the same transaction, after the owner has been written: keeps the new picture, forgets the old.
    pub statements: Vec<Stmt>,
}

/// Checks what was sent as the picture of an owner; `None` takes the picture away.
///
/// # Errors
/// 400 for schemes other than http, https and data; for inline data that is no image or too large; for anything but
/// an inline image from clients.
pub fn accept(
    app: &App,
    project: &ProjectId,
    owner: Owner,
    access: AccessType,
    input: Option<&str>,
) -> Result<Accepted, Failure> {
    let key = owner.key();
    let Some(input) = input else {
        return Ok(Accepted { url: None, statements: vec![images::remove(project, &key, None)] });
    };
    if is_web_address(input) {
        if access == AccessType::Client {
            return Err(Failure::text(400, "Clients send pictures inline, as data:image/…;base64 URLs."));
        }
        // Whoever sends back what they read must not lose the picture behind it.
        let url = input.strip_prefix(app.public_url.as_str()).filter(|path| path.starts_with(OWN));
        let url = url.unwrap_or(input);
        let keep = own_id(project, owner.folder(), url);
        return Ok(Accepted {
            url: Some(url.to_owned()),
            statements: vec![images::remove(project, &key, keep)],
        });
    }
    let (format, bytes) = inline(input, access)?;
    let id = ImageId::from_uuid(app.random.uuid());
    let (user_id, team_id) = match owner {
        Owner::User(user) => (Some(user), None),
        Owner::Team(team) => (None, Some(team)),
        Owner::Member(team, user) => (Some(user), Some(team)),
        Owner::ProjectLogo(_) => (None, None),
    };
    let row = ImageRow {
        project_id: project.clone(),
        id,
        folder: owner.folder().as_str().to_owned(),
        owner: key,
        user_id,
        team_id,
        format: format.as_str().to_owned(),
        bytes,
        created_at: app.now(),
    };
    let url = format!("{}{id}.{}", base(project, owner.folder()), format.as_str());
    Ok(Accepted { url: Some(url), statements: vec![images::put(&row)] })
}

fn is_web_address(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// Where the pictures of a folder are served, below the server's address.
fn base(project: &ProjectId, folder: ImageFolder) -> String {
    format!("{OWN}{project}/{}/", folder.as_str())
}

/// The picture of ours that a stored address leads to.
fn own_id(project: &ProjectId, folder: ImageFolder, url: &str) -> Option<ImageId> {
    let file = url.strip_prefix(&base(project, folder))?;
    file.split_once('.')?.0.parse().ok()
}

/// The bytes of an inline picture, and the format that they show.
fn inline(url: &str, access: AccessType) -> Result<(Format, Vec<u8>), Failure> {
    let refused =
        || Failure::text(400, "The picture is neither an http(s) URL nor a base64 image of a known format.");
    let (declared, data) =
        url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,")).ok_or_else(refused)?;
    let known = match access {
        AccessType::Client => DECLARED_BY_CLIENTS.contains(&declared),
        AccessType::Server | AccessType::Admin => {
            !declared.is_empty() && declared.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
    };
    if !known {
        return Err(refused());
    }
    if data.len() > MOST_BASE64 {
        return Err(Failure::text(400, "The picture is larger than a million characters of base64."));
    }
    let bytes = STANDARD.decode(data).map_err(|_| refused())?;
    let format = Format::of(&bytes).ok_or_else(refused)?;
    Ok((format, bytes))
}

/// A picture that is served.
pub struct Image {
    /// What its bytes are.
    pub format: Format,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// The picture at a path, for everybody: whoever knows its random id has seen it somewhere.
///
/// # Errors
/// 404.
pub async fn get(app: &App, path: ImagePath) -> Result<Image, Failure> {
    let missing = || Failure::text(404, "There is no such picture, or it was replaced.");
    let (id, format) = path.file.split_once('.').ok_or_else(missing)?;
    let id: ImageId = id.parse().map_err(|_| missing())?;
    let (project, folder) = (path.project_id, path.folder);
    // What belonged to a deleted project may still be there for a while.
    projects::find(app, &project).await?.ok_or_else(missing)?;
    let row = app.store.lookup(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(images::get(tx, &project, folder.as_str(), id).await?) })
    });
    let row = row.await?.filter(|row| row.format == format).ok_or_else(missing)?;
    let format = Format::parse(&row.format)
        .ok_or_else(|| Failure::internal("a stored picture is of an unknown format"))?;
    Ok(Image { format, bytes: row.bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    #[test]
    fn what_is_no_image_is_refused_for_everyone() {
        let hostile = [
            "javascript:alert(1)",
            "data:text/html;base64,PGI+",
            "data:image/svg+xml;base64,PHN2Zz4=",
            "data:image/svg;base64,PHN2Zz4=",
            "data:image/png;base64,PGI+",
            "data:image/png;base64,***",
            "data:image/;base64,iVBORw0KGgo=",
            "ftp://example.com/a.png",
        ];
        for url in hostile {
            assert!(inline(url, AccessType::Admin).is_err(), "{url}");
        }
        assert_eq!(inline(PNG, AccessType::Client).unwrap().0, Format::Png);
    }

    #[test]
    fn the_format_is_what_the_bytes_show_whatever_is_declared() {
        let misnamed = PNG.replace("image/png", "image/gif");
        assert_eq!(inline(&misnamed, AccessType::Client).unwrap().0, Format::Png);
        let unknown = PNG.replace("image/png", "image/tiff");
        assert!(inline(&unknown, AccessType::Client).is_err());
        assert_eq!(inline(&unknown, AccessType::Server).unwrap().0, Format::Png);
    }

    #[test]
    fn a_payload_has_a_limit_of_its_own() {
        let (head, data) = PNG.split_once(',').unwrap();
        let whole = &data[..data.len() - 4];
        let of_length = |length: usize| format!("{head},{whole}{}", "A".repeat(length - whole.len()));
        assert_eq!(inline(&of_length(MOST_BASE64), AccessType::Admin).unwrap().0, Format::Png);
        assert!(inline(&of_length(MOST_BASE64 + 4), AccessType::Admin).is_err());
    }
}
