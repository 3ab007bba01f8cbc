//! Definitions live in one place: of changes at the same moment none is lost.

use latchkey_testkit::on_both_engines;
use latchkey_tests::{join_all, people, teams};
use serde_json::{Value, json};

use super::{PROJECT, TEAM, define, defined};

on_both_engines! {
    async fn twenty_definitions_at_once_are_all_there(server) {
        let names: Vec<String> = (0..20).map(|number| format!("p{number:02}")).collect();
        let answers = join_all(names.iter().map(|name| define(&server, PROJECT, name, &[]))).await;
        for answer in answers {
            answer.expect(201);
        }
        let all: Vec<Value> = defined(&server, PROJECT).await.iter().map(|one| one["id"].clone()).collect();
        assert_eq!(json!(all), json!(names));
    }

    async fn one_id_is_defined_once(server) {
        let answers = join_all((0..20).map(|number| {
            define(&server, if number % 2 == 0 { TEAM } else { PROJECT }, "same", &[])
        })).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.expect_error(400, "PERMISSION_ID_ALREADY_EXISTS");
        }
        assert_eq!(made, 1);
    }

    async fn two_changes_of_definitions_lose_nothing(server) {
        define(&server, TEAM, "a", &[]).await.expect(201);
        define(&server, TEAM, "b", &[]).await.expect(201);
        for round in 0..5 {
            let change = |id: &str| {
                let body = json!({ "description": format!("{round}") });
                server.patch(&format!("{TEAM}/{id}")).admin().json(&body).send()
            };
            let (one, other) = tokio::join!(change("a"), change("b"));
            one.expect(200);
            other.expect(200);
            for definition in defined(&server, TEAM).await {
                if ["a", "b"].contains(&definition["id"].as_str().expect("an id")) {
                    assert_eq!(definition["description"], format!("{round}"));
                }
            }
        }
    }

    async fn a_grant_beside_the_removal_of_its_definition_leaves_nothing_behind(server) {
        let ada = people::created(&server, &json!({})).await;
        let team = teams::create(&server, "Engines").await;
        teams::add(&server, &team, &ada.id).await.expect(201);
        for _ in 0..5 {
            define(&server, TEAM, "a", &["$delete_team"]).await.expect(201);
            let path = format!("{TEAM}/a");
            let (granted, removed) = tokio::join!(
                async { teams::grant(&server, &team, &ada.id, "a").await },
                server.delete(&path).admin().send()
            );
            removed.expect(200);
            if granted.status != 201 {
                granted.expect_error(404, "PERMISSION_NOT_FOUND");
            }
            define(&server, TEAM, "a", &[]).await.expect(201);
            assert_eq!(teams::permissions(&server, &team, &ada.id, false).await, ["team_member"]);
            server.delete(&path).admin().send().await.expect(200);
        }
    }
}
