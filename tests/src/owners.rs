//! People of the project `internal`, who own projects through their teams.

use latchkey_testkit::{Request, TestServer};
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person};

/// The request, to the project `internal` as a client.
#[must_use]
pub fn internal(request: Request<'_>) -> Request<'_> {
    request.header("x-stack-access-type", "client").header("x-stack-project-id", "internal")
}

/// Somebody who signed up to `internal`.
pub async fn sign_up(server: &TestServer, email: &str) -> Person {
    let body = json!({ "email": email, "password": PASSWORD });
    Person::of(&internal(server.post("/auth/password/sign-up")).json(&body).send().await.expect(200))
}

/// A team of `internal` with this member, who has these permissions in it; its id.
pub async fn team(server: &TestServer, member: &Person, permissions: &[&str]) -> String {
    use latchkey_api_types::ids::{ProjectId, TeamId, UserId};
    use latchkey_storage::{team_memberships, team_permissions, teams};
    let (internal, team) = (ProjectId::internal(), TeamId::from_uuid(server.app().random.uuid()));
    let user: UserId = member.id.parse().expect("a user id");
    let row = teams::TeamRow {
        project_id: internal.clone(),
        id: team,
        display_name: "Owners".to_owned(),
        profile_image_url: None,
        client_metadata: None,
        client_read_only_metadata: None,
        server_metadata: None,
        created_at: server.app().now(),
    };
    let mut statements =
        vec![teams::insert(&row), team_memberships::insert(&internal, team, user, server.app().now())];
    statements.extend(permissions.iter().map(|id| team_permissions::grant(&internal, team, user, id, 1)));
    server.app().store.batch(statements).await.expect("a team");
    team.to_string()
}

/// Puts somebody into a team of `internal`.
pub async fn join(server: &TestServer, team: &str, member: &Person) {
    let (team, user) = (team.parse().expect("a team id"), member.id.parse().expect("a user id"));
    let internal = latchkey_api_types::ids::ProjectId::internal();
    let statement = latchkey_storage::team_memberships::insert(&internal, team, user, 1);
    server.app().store.batch(vec![statement]).await.expect("a membership");
}

/// Makes a project for a team; what the server answered.
pub async fn project(server: &TestServer, owner: &Person, team: &str, fields: &Value) -> Value {
    let mut body = json!({ "display_name": "A project", "owner_team_id": team });
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    internal(server.post("/internal/projects")).user(&owner.access_token).json(&body).send().await.expect(201)
}

/// The request, as an administrator of a project by the token of one of its owners.
#[must_use]
pub fn administering<'s>(request: Request<'s>, project: &str, owner: &Person) -> Request<'s> {
    request
        .header("x-stack-access-type", "admin")
        .header("x-stack-project-id", project)
        .header("x-stack-admin-access-token", &owner.access_token)
}
