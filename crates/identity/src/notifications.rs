//! Which kinds of mail a user wants (contract 05 §8). The kinds are the same in every project.

use latchkey_api_types::ids::{NotificationCategoryId, ProjectId, UserId};
use latchkey_api_types::input::UserIdOrMe;
use latchkey_api_types::notification::NotificationPreference;
use latchkey_api_types::{AccessType, KnownError};
use latchkey_storage::StorageError;
use latchkey_storage::notification_preferences;
use latchkey_storage::users;
use uuid::Uuid;

use crate::app::App;
use crate::authenticate::Auth;
use crate::failure::Failure;

/// A kind of mail.
struct Category {
    id: Uuid,
    name: &'static str,
    enabled: bool,
    can_disable: bool,
}

/// The kind of mail without which the service does not work; nobody can refuse it.
pub(crate) const TRANSACTIONAL: Uuid = Uuid::from_u128(0x7bb8_2d33_2f54_4a3d_9d23_8273_9e0d_66ef);
/// The kind of mail that people are asked whether they want it.
pub(crate) const MARKETING: Uuid = Uuid::from_u128(0x4f6f_8873_3d04_46bd_8bef_1833_8b1a_1b4c);

/// All kinds, in the order of lists. Clients may keep the ids.
const CATEGORIES: [Category; 2] = [
    Category { id: TRANSACTIONAL, name: "Transactional", enabled: true, can_disable: false },
    Category { id: MARKETING, name: "Marketing", enabled: true, can_disable: true },
];

impl Category {
    fn view(&self, enabled: bool) -> NotificationPreference {
        NotificationPreference {
            notification_category_id: NotificationCategoryId::from_uuid(self.id),
            notification_category_name: self.name,
            enabled,
            can_disable: self.can_disable,
        }
    }
}

/// The user whose preferences are meant.
fn addressed(auth: &Auth, user: UserIdOrMe) -> Result<UserId, Failure> {
    if auth.access == AccessType::Client && auth.user.is_none() && user != UserIdOrMe::Me {
        return Err(KnownError::user_authentication_required().into());
    }
    auth.addressed_user(user)
}

/// What a user wants of each kind.
///
/// # Errors
/// `CANNOT_GET_OWN_USER_WITHOUT_USER`, `USER_AUTHENTICATION_REQUIRED`, 403 for clients and other users,
/// `USER_NOT_FOUND`.
pub async fn list(app: &App, auth: &Auth, user: UserIdOrMe) -> Result<Vec<NotificationPreference>, Failure> {
    let user = addressed(auth, user)?;
    let project = auth.project.id.clone();
    let decided = app.store.read(move |tx| {
        Box::pin(async move {
            if users::get(tx, &project, user).await?.is_none() {
                return Err(KnownError::user_not_found().into());
            }
            Ok::<_, Failure>(notification_preferences::list(tx, &project, user).await?)
        })
    });
    let decided = decided.await?;
    let view = |category: &Category| {
        let decision = decided.iter().find(|row| row.category_id.as_uuid() == category.id);
        category.view(decision.map_or(category.enabled, |row| row.enabled))
    };
    Ok(CATEGORIES.iter().map(view).collect())
}

/// The kind of mail of this name.
pub(crate) fn by_name(name: &str) -> Option<Uuid> {
    CATEGORIES.iter().find(|known| known.name == name).map(|known| known.id)
}

/// Whether users can refuse mail of a kind.
pub(crate) fn can_be_disabled(category: Uuid) -> bool {
    CATEGORIES.iter().any(|known| known.id == category && known.can_disable)
}

/// Whether a user lets mail of a kind in.
pub(crate) async fn is_wanted(
    app: &App,
    project: &ProjectId,
    user: UserId,
    category: Uuid,
) -> Result<bool, Failure> {
    let Some(category) = CATEGORIES.iter().find(|known| known.id == category && known.can_disable) else {
        return Ok(true);
    };
    let project = project.clone();
    let read = app.store.read(move |tx| {
        Box::pin(async move { Ok::<_, Failure>(notification_preferences::list(tx, &project, user).await?) })
    });
    let decided = read.await?;
    let decision = decided.iter().find(|row| row.category_id.as_uuid() == category.id);
    Ok(decision.map_or(category.enabled, |row| row.enabled))
}

/// Notes what a user wants. For kinds that cannot be disabled it has no effect.
///
/// # Errors
/// As [`list`]; 404 for an unknown kind.
pub async fn update(
    app: &App,
    auth: &Auth,
    user: UserIdOrMe,
    category: NotificationCategoryId,
    enabled: bool,
) -> Result<NotificationPreference, Failure> {
    let user = addressed(auth, user)?;
    let category = CATEGORIES
        .iter()
        .find(|known| known.id == category.as_uuid())
        .ok_or_else(|| Failure::text(404, "There is no such kind of notification."))?;
    let id = NotificationCategoryId::from_uuid(category.id);
    let statement = notification_preferences::set(&auth.project.id, user, id, enabled);
    match app.store.batch(vec![statement]).await {
        Ok(_) => Ok(category.view(enabled)),
        Err(StorageError::ForeignKey) => Err(KnownError::user_not_found().into()),
        Err(error) => Err(error.into()),
    }
}
