//! Keys of one project mean nothing to another.

use latchkey_testkit::{Keys, Project, on_both_engines};
use latchkey_tests::people;
use serde_json::json;

use super::{team, team_key, text, user_key, with_keys};

/// Another project with keys of both kinds.
fn third() -> Project {
    let key = |kind: &str| format!("{kind}_third_0123456789abcdefghjkmnpqrstvwxyz");
    let keys = Keys { publishable: key("pck"), secret: key("ssk"), admin: key("sak") };
    Project { id: "33333333-3333-4333-8333-333333333333".to_owned(), keys }
}

fn declared() -> String {
    let Project { id, keys } = third();
    let own = json!({
        "publishable_client_key": keys.publishable, "secret_server_key": keys.secret, "super_secret_admin_key": keys.admin,
    });
    let settings = json!({ "apiKeys": { "enabled": { "user": true, "team": true } } });
    json!([{ "id": id, "keys": own, "settings": settings }]).to_string()
}

on_both_engines! {
    async fn keys_of_one_project_mean_nothing_to_another(server, builder = with_keys().config("project", &declared())) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = team(&server).await;
        let (of_user, of_team) = (user_key(&server, &ada.id).await, team_key(&server, &team).await);
        let third = third();
        let signed_up = people::speaking_for(server.post("/auth/password/sign-up"), &third, "client");
        let body = json!({ "email": "mallory@example.com", "password": people::PASSWORD });
        let mallory = people::Person::of(&signed_up.json(&body).send().await.expect(200));
        for access in ["client", "server", "admin"] {
            let outside = |request| people::speaking_for(request, &third, access).user(&mallory.access_token);
            let (own, of_team) = (format!("/user-api-keys/{}", text(&of_user, "id")), text(&of_team, "id"));
            let teams = format!("/team-api-keys/{of_team}?team_id={team}");
            for path in [own.clone(), format!("{own}?user_id=me"), teams] {
                outside(server.get(&path)).send().await.expect_error(404, "API_KEY_NOT_FOUND");
                let revoke = outside(server.patch(&path)).json(&json!({ "revoked": true }));
                revoke.send().await.expect_error(404, "API_KEY_NOT_FOUND");
            }
            let list = outside(server.get(&format!("/user-api-keys?user_id={}", ada.id))).send().await;
            assert!(list.status == 403 || list.json()["items"] == json!([]), "{}", list.text());
            let list = outside(server.get(&format!("/team-api-keys?team_id={team}"))).send().await;
            assert!(list.status == 404 || list.json()["items"] == json!([]), "{}", list.text());
            let body = json!({ "user_id": ada.id, "description": "a", "expires_at_millis": null });
            let made = outside(server.post("/user-api-keys")).json(&body).send().await;
            assert!((400..500).contains(&made.status), "{}", made.text());
            let body = json!({ "team_id": team, "description": "a", "expires_at_millis": null });
            outside(server.post("/team-api-keys")).json(&body).send().await.expect_error(404, match access {
                "client" => "API_KEY_NOT_FOUND",
                _ => "TEAM_NOT_FOUND",
            });
        }
        for (kind, key) in [("user", &of_user), ("team", &of_team)] {
            let check = server.post(&format!("/{kind}-api-keys/check"));
            let check = people::speaking_for(check, &third, "server").json(&json!({ "api_key": key["value"] }));
            check.send().await.expect_error(404, "API_KEY_NOT_FOUND");
            let own = server.post(&format!("/{kind}-api-keys/check")).server().json(&json!({ "api_key": key["value"] }));
            own.send().await.expect(200);
        }
    }
}
