//! Teams for the tests, made and looked at by the public API.

use latchkey_testkit::{Answer, TestServer};
use serde_json::{Value, json};

use crate::people::Person;

/// The id of an answer.
#[track_caller]
pub fn id_of(answer: &Value) -> String {
    answer["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned()
}

/// A team without members.
pub async fn create(server: &TestServer, name: &str) -> String {
    let body = json!({ "display_name": name });
    id_of(&server.post("/teams").server().json(&body).send().await.expect(201))
}

/// A team whose creator this is.
pub async fn created_by(server: &TestServer, creator: &Person, name: &str) -> String {
    let body = json!({ "display_name": name, "creator_user_id": creator.id });
    id_of(&server.post("/teams").server().json(&body).send().await.expect(201))
}

/// Puts somebody into a team.
pub async fn add(server: &TestServer, team: &str, user: &str) -> Answer {
    server.post(&format!("/team-memberships/{team}/{user}")).server().json(&json!({})).send().await
}

/// Takes somebody out of a team, as a server.
pub async fn remove(server: &TestServer, team: &str, user: &str) -> Answer {
    server.delete(&format!("/team-memberships/{team}/{user}")).server().send().await
}

/// Gives a member a permission.
pub async fn grant(server: &TestServer, team: &str, user: &str, permission: &str) -> Answer {
    let path = format!("/team-permissions/{team}/{user}/{permission}");
    server.post(&path).server().json(&json!({})).send().await
}

/// Takes a permission from a member.
pub async fn revoke(server: &TestServer, team: &str, user: &str, permission: &str) -> Answer {
    server.delete(&format!("/team-permissions/{team}/{user}/{permission}")).server().send().await
}

/// What a member has, directly or in all.
pub async fn permissions(server: &TestServer, team: &str, user: &str, recursive: bool) -> Vec<String> {
    let path = format!("/team-permissions?team_id={team}&user_id={user}&recursive={recursive}");
    ids(&server.get(&path).server().send().await.expect(200))
}

/// The members of a team, in the order of the list.
pub async fn members(server: &TestServer, team: &str) -> Vec<String> {
    let profiles =
        server.get(&format!("/team-member-profiles?team_id={team}")).server().send().await.expect(200);
    let items = profiles["items"].as_array().expect("items").iter();
    items.map(|profile| profile["user_id"].as_str().expect("an id").to_owned()).collect()
}

/// The ids of the items of a list.
pub fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().expect("items").iter().map(id_of).collect()
}

/// Gives somebody an address beside their primary one, with which they do not sign in.
pub async fn add_address(server: &TestServer, user: &str, email: &str, is_verified: bool) {
    let body = json!({
        "user_id": user, "type": "email", "value": email, "used_for_auth": false, "is_verified": is_verified,
    });
    server.post("/contact-channels").server().json(&body).send().await.expect(201);
}

/// Invites an address as a server; the id of the invitation and the code of the mail.
pub async fn invite(server: &TestServer, team: &str, email: &str) -> (String, String) {
    let body = json!({ "team_id": team, "email": email, "callback_url": "http://localhost/join" });
    let sent = server.post("/team-invitations/send-code").server().json(&body).send().await.expect(200);
    let mails = crate::mail::to(server, &email.to_lowercase()).await;
    let code = mails.first().and_then(|mail| {
        let links = crate::mail::links(&mail.text);
        links.iter().find_map(|link| Some(link.split_once("code=")?.1.to_owned()))
    });
    (id_of(&sent), code.expect("a mail with a code"))
}

/// Accepts an invitation by its code, as a client.
pub async fn accept(server: &TestServer, person: &Person, code: &str) -> Answer {
    let body = json!({ "code": code });
    server.post("/team-invitations/accept").client().user(&person.access_token).json(&body).send().await
}
