//! Contract 07 §3: deleting a project. It is gone at once; what belonged to it follows.

use latchkey_identity::project_deletion;
use latchkey_testkit::{TestServer, on_both_engines};
use latchkey_tests::owners::{self, administering};
use latchkey_tests::people;
use serde_json::json;

async fn delete(server: &TestServer) {
    let answer = server.delete("/internal/projects/current").admin().send().await.expect(200);
    assert_eq!(answer, json!({ "success": true }));
}

/// How many rows of every table belong to the test project.
async fn rows(server: &TestServer) -> u64 {
    let project = server.project_id().parse().expect("a project id");
    let statements = latchkey_storage::project_deletion::count_all(&project);
    let outcomes = server.app().store.batch(statements).await.expect("counts");
    outcomes.iter().map(|outcome| outcome.affected).sum()
}

on_both_engines! {
    async fn a_deleted_project_is_unknown_at_once_to_everybody(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        let twin = server.twin().await;
        twin.get("/projects/current").client().send().await.expect(200);
        delete(&server).await;
        let unknown = json!({ "project_id": server.project_id() });
        for request in [
            server.get("/projects/current").client(), server.get("/users/me").client().user(&ada.access_token),
            server.get("/internal/projects/current").admin(), server.delete("/internal/projects/current").admin(),
            server.post("/users").server().json(&json!({})),
        ] {
            assert_eq!(request.send().await.expect_error(400, "CURRENT_PROJECT_NOT_FOUND"), unknown);
        }
        let keys = server.get(&format!("/projects/{}/.well-known/jwks.json", server.project_id())).send().await;
        keys.expect_text(404);
        twin.clock().advance_seconds(1);
        twin.get("/projects/current").client().send().await.expect_error(400, "CURRENT_PROJECT_NOT_FOUND");
    }

    async fn nothing_of_a_deleted_project_is_left_and_nothing_of_others_is_touched(server) {
        for number in 0..30 {
            people::sign_up(&server, &format!("person-{number}@example.com")).await;
        }
        let other = server.other_project().clone();
        let there = || people::speaking_for(server.post("/users"), &other, "server");
        there().json(&json!({ "primary_email": "kept@example.com" })).send().await.expect(201);
        assert!(rows(&server).await > 100);
        delete(&server).await;
        project_deletion::run_due(server.app()).await.expect("a purge");
        assert_eq!(rows(&server).await, 0);
        let project = server.project_id().parse().expect("a project id");
        let read = server.app().store.read(move |tx| {
            Box::pin(async move { latchkey_storage::projects::is_marked_deleted(tx, &project).await })
        });
        assert!(!read.await.expect("an answer"), "the row itself is gone");
        let again = there().json(&json!({ "primary_email": "kept@example.com", "primary_email_auth_enabled": true }));
        assert_eq!(again.send().await.status, 201);
    }

    async fn a_deletion_that_was_interrupted_goes_on_at_the_next_start(server) {
        people::sign_up(&server, "ada@example.com").await;
        let project: latchkey_api_types::ids::ProjectId = server.project_id().parse().expect("a project id");
        // As a server leaves it that was killed after the mark.
        let mark = latchkey_storage::projects::mark_deleted(&project, 1);
        server.app().store.batch(vec![mark]).await.expect("a mark");
        project_deletion::run_due(server.app()).await.expect("a purge");
        assert_eq!(rows(&server).await, 0);
    }

    async fn a_declared_project_that_was_deleted_is_there_again_and_empty_after_a_start(server) {
        let ada = people::sign_up(&server, "ada@example.com").await;
        delete(&server).await;
        let twin = server.twin().await;
        twin.get("/projects/current").client().send().await.expect(200);
        twin.get(&format!("/users/{}", ada.id)).server().send().await.expect_error(404, "USER_NOT_FOUND");
    }

    async fn internal_cannot_be_deleted(server) {
        let ada = owners::sign_up(&server, "ada@example.com").await;
        owners::join(&server, &latchkey_owners(&server).await, &ada).await;
        administering(server.delete("/internal/projects/current"), "internal", &ada).send().await.expect_text(400);
        administering(server.get("/internal/projects/current"), "internal", &ada).send().await.expect(200);
    }

    async fn deleting_at_the_same_time_deletes_once(server) {
        let both = latchkey_tests::join_all((0..8).map(|_| server.delete("/internal/projects/current").admin().send())).await;
        let deleted = both.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(deleted, 1);
        for answer in both.iter().filter(|answer| answer.status != 200) {
            answer.expect_error(400, "CURRENT_PROJECT_NOT_FOUND");
        }
    }
}

/// The team that owns the declared projects.
async fn latchkey_owners(server: &TestServer) -> String {
    let id = latchkey_api_types::ids::ProjectId::internal();
    let project = latchkey_identity::projects::find(server.app(), &id).await;
    project.expect("a project").expect("a project").owner_team_id.expect("a team").to_string()
}
