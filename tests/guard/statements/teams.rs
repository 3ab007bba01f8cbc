//! Teams, members, invitations and permissions, with every filter of their lists.

use latchkey_storage::team_memberships;
use latchkey_testkit::TestServer;
use latchkey_tests::{people, teams};
use serde_json::json;

/// Somebody works in a team.
pub(super) async fn select(server: &TestServer, user: &str) {
    let team = teams::create(server, "Engines").await;
    teams::add(server, &team, user).await.expect(201);
    people::change(server, user, &json!({ "selected_team_id": team })).await;
    people::seen_by_server(server, user).await;
}

/// Everything else.
pub(super) async fn tour(server: &TestServer, user: &str) {
    let ada = people::session_for(server, user).await;
    let team = teams::created_by(server, &ada, "Engines").await;
    for query in [
        "",
        "?desc=true&limit=1",
        &format!("?user_id={user}&query=eng"),
        &format!("?user_id={user}&desc=true"),
    ] {
        server.get(&format!("/teams{query}")).server().send().await.expect(200);
    }
    server
        .patch(&format!("/teams/{team}"))
        .server()
        .json(&json!({ "display_name": "x" }))
        .send()
        .await
        .expect(200);
    for query in [
        "",
        &format!("?team_id={team}"),
        &format!("?user_id={user}"),
        &format!("?team_id={team}&user_id={user}"),
    ] {
        server.get(&format!("/team-member-profiles{query}")).server().send().await.expect(200);
        server.get(&format!("/team-permissions{query}")).server().send().await.expect(200);
    }
    let profile = json!({ "display_name": "Cy" });
    server
        .patch(&format!("/team-member-profiles/{team}/{user}"))
        .server()
        .json(&profile)
        .send()
        .await
        .expect(200);

    for (endpoint, grant) in [
        ("/team-permission-definitions", format!("/team-permissions/{team}/{user}")),
        ("/project-permission-definitions", format!("/project-permissions/{user}")),
    ] {
        let (one, two) = (format!("a{}", endpoint.len()), format!("b{}", endpoint.len()));
        server.post(endpoint).admin().json(&json!({ "id": one })).send().await.expect(201);
        server.post(&format!("{grant}/{one}")).server().json(&json!({})).send().await.expect(201);
        server
            .patch(&format!("{endpoint}/{one}"))
            .admin()
            .json(&json!({ "id": two }))
            .send()
            .await
            .expect(200);
        server.delete(&format!("{grant}/{two}")).server().send().await.expect(200);
        server.delete(&format!("{endpoint}/{two}")).admin().send().await.expect(200);
    }
    for query in ["", "?user_id=me"] {
        server
            .get(&format!("/project-permissions{query}"))
            .server()
            .user(&ada.access_token)
            .send()
            .await
            .expect(200);
    }

    let (project, member) = (server.project_id().parse().expect("an id"), user.parse().expect("an id"));
    let read = server
        .app()
        .store
        .read(move |tx| Box::pin(async move { team_memberships::teams_of(tx, &project, member).await }));
    assert!(!read.await.expect("teams").is_empty());
    let (id, code) = teams::invite(server, &team, "dee@example.com").await;
    for query in [format!("team_id={team}"), format!("user_id={user}")] {
        server.get(&format!("/team-invitations?{query}")).server().send().await.expect(200);
    }
    let by_id = server.post(&format!("/team-invitations/{id}/accept?user_id={user}")).server().send().await;
    by_id.expect_error(404, "VERIFICATION_CODE_NOT_FOUND");
    teams::accept(server, &ada, &code).await.expect(200);
    let (id, _) = teams::invite(server, &team, "dee@example.com").await;
    server.delete(&format!("/team-invitations/{id}?team_id={team}")).server().send().await.expect(200);
    let nobody = people::created(server, &json!({})).await;
    teams::add(server, &team, &nobody.id).await.expect(201);
    teams::remove(server, &team, &nobody.id).await.expect(200);
    server.delete(&format!("/teams/{team}")).server().send().await.expect(200);
}
