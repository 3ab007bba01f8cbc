//! Contract 05 §5 for teams and member profiles: inline pictures are kept, served and forgotten.

use latchkey_testkit::{Answer, TestServer, on_both_engines};
use latchkey_tests::{people, teams};
use reqwest::Method;
use serde_json::{Value, json};

use super::{NOBODY, PNG};

/// The answer at a picture's address, which must be in this folder.
async fn fetch(server: &TestServer, folder: &str, url: &Value) -> Answer {
    let path =
        url.as_str().and_then(|url| url.strip_prefix(server.public_url())).expect("an address of ours");
    assert!(path.contains(&format!("/{folder}/")), "{path}");
    server.request(Method::GET, path).send().await
}

on_both_engines! {
    async fn a_teams_picture_is_served_until_it_is_replaced_or_the_team_is_gone(server) {
        let folder = "team-profile-images";
        let made = server.post("/teams").server().json(&json!({ "display_name": "x", "profile_image_url": PNG }));
        let team = made.send().await.expect(201);
        let path = format!("/teams/{}", teams::id_of(&team));
        let first = &team["profile_image_url"];
        assert_eq!(fetch(&server, folder, first).await.status, 200);
        let change = |url: Value| server.patch(&path).server().json(&json!({ "profile_image_url": url })).send();
        let second = change(json!(PNG)).await.expect(200)["profile_image_url"].clone();
        fetch(&server, folder, first).await.expect_text(404);
        assert_eq!(change(second.clone()).await.expect(200)["profile_image_url"], second, "what was read and sent back");
        assert_eq!(fetch(&server, folder, &second).await.status, 200);
        server.delete(&path).server().send().await.expect(200);
        fetch(&server, folder, &second).await.expect_text(404);
    }

    async fn a_members_picture_is_served_while_they_are_in_the_team(server) {
        let folder = "team-member-profile-images";
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::created_by(&server, &ada, "Engines").await;
        let path = format!("/team-member-profiles/{team}/me");
        let change = |url: Value| {
            let body = json!({ "profile_image_url": url });
            server.patch(&path).client().user(&ada.access_token).json(&body).send()
        };
        let first = change(json!(PNG)).await.expect(200)["profile_image_url"].clone();
        assert_eq!(fetch(&server, folder, &first).await.status, 200);
        assert_eq!(change(Value::Null).await.expect(200)["profile_image_url"], Value::Null);
        fetch(&server, folder, &first).await.expect_text(404);
        let second = change(json!(PNG)).await.expect(200)["profile_image_url"].clone();
        teams::remove(&server, &team, &ada.id).await.expect(200);
        fetch(&server, folder, &second).await.expect_text(404);
    }

    async fn a_refused_change_keeps_no_picture(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let team = teams::create(&server, "Engines").await;
        let body = json!({ "profile_image_url": PNG });
        let path = format!("/team-member-profiles/{team}/{}", ada.id);
        server.patch(&path).server().json(&body).send().await.expect_error(404, "TEAM_MEMBERSHIP_NOT_FOUND");
        let unknown = json!({ "display_name": "x", "profile_image_url": PNG, "creator_user_id": NOBODY });
        server.post("/teams").server().json(&unknown).send().await.expect_error(404, "USER_NOT_FOUND");
        let twice = server.patch(&format!("/teams/{team}")).server().json(&body).send().await.expect(200);
        assert_eq!(fetch(&server, "team-profile-images", &twice["profile_image_url"]).await.status, 200);
    }
}
