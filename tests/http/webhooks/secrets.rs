//! Secrets of endpoints: shown on demand, replaced with an overlap, sealed at rest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use latchkey_crypto::hmac_sha256;
use latchkey_testkit::on_both_engines;
use latchkey_tests::receiver::{Received, Receiver};
use serde_json::json;

use super::{audited, endpoint, endpoint_with, grant, id, with_receivers};

/// The signature by the documented formula, computed a second time.
fn signature(secret: &str, delivery: &Received) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a prefix")).expect("base64");
    let signed =
        format!("{}.{}.{}", delivery.header("svix-id"), delivery.header("svix-timestamp"), delivery.body);
    format!("v1,{}", STANDARD.encode(hmac_sha256(&key, signed.as_bytes())))
}

on_both_engines! {
    async fn a_replaced_secret_signs_for_another_day(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        let path = format!("/webhooks/endpoints/{}/secret", id(&made));
        let old = made["secret"].as_str().expect("a secret").to_owned();
        assert_eq!(server.get(&path).admin().send().await.expect(200), json!({ "secret": old }));
        grant(&server, "a").await;
        server.flush().await;
        assert_eq!(receiver.received()[0].header("svix-signature"), signature(&old, &receiver.received()[0]));

        let rotated = server.post(&format!("{path}/rotate")).admin().json(&json!({})).send().await.expect(200);
        let new = rotated["secret"].as_str().expect("a secret").to_owned();
        assert_ne!(new, old);
        assert_eq!(server.get(&path).admin().send().await.expect(200), rotated);
        grant(&server, "b").await;
        server.flush().await;
        let delivery = &receiver.received()[1];
        assert_eq!(delivery.header("svix-signature"), format!("{} {}", signature(&new, delivery), signature(&old, delivery)));

        server.clock().advance_seconds(24 * 3600);
        grant(&server, "c").await;
        server.flush().await;
        let delivery = &receiver.received()[2];
        assert_eq!(delivery.header("svix-signature"), signature(&new, delivery));
        assert!(audited(&server).await.contains(&"webhook_endpoint.secret_rotated".to_owned()));
    }

    async fn people_may_bring_their_own_secrets(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let own = format!("whsec_{}", STANDARD.encode([7; 32]));
        let made = endpoint_with(&server, &json!({ "url": receiver.url, "secret": own })).await;
        assert_eq!(made["secret"], json!(own));
        let next = format!("whsec_{}", STANDARD.encode([8; 24]));
        let path = format!("/webhooks/endpoints/{}/secret/rotate", id(&made));
        let rotated = server.post(&path).admin().json(&json!({ "secret": next })).send().await.expect(200);
        assert_eq!(rotated["secret"], json!(next));
        server.post(&path).admin().json(&json!({ "secret": "short" })).send().await.expect_text(400);
        grant(&server, "a").await;
        server.flush().await;
        let delivery = &receiver.received()[0];
        assert!(delivery.header("svix-signature").starts_with(&signature(&next, delivery)));
    }

    async fn secrets_are_sealed_again_when_the_master_key_changes(server, builder = with_receivers()) {
        let receiver = Receiver::start().await;
        let made = endpoint(&server, &receiver.url).await;
        let path = format!("/webhooks/endpoints/{}/secret", id(&made));
        let rotated = server.post(&format!("{path}/rotate")).admin().json(&json!({})).send().await.expect(200);
        let fresh = "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=";
        let both = format!("{fresh},{}", latchkey_testkit::MASTER_KEY);
        let twin = server.twin_with(|builder| builder.config("security.master_keys", &both)).await;
        latchkey_identity::master_key_rotation::reseal(twin.app()).await.expect("secrets to seal again");
        drop(twin);
        let alone = server.twin_with(|builder| builder.config("security.master_keys", fresh)).await;
        assert_eq!(alone.get(&path).admin().send().await.expect(200), rotated);
    }
}
