//! How long codes live is configured, each kind by itself.

use latchkey_testkit::{Builder, on_both_engines};

use super::{Kind, builder};

/// A server whose codes live 10, 20, 30 and 40 minutes.
fn short_lived() -> Builder {
    let keys = [
        "sign_in_lifetime",
        "password_reset_lifetime",
        "email_verification_lifetime",
        "team_invitation_lifetime",
    ];
    let with = |builder: Builder, (index, key): (usize, &str)| {
        builder.config(&format!("codes.{key}"), &format!("{}m", (index + 1) * 10))
    };
    keys.into_iter().enumerate().fold(builder(), with)
}

on_both_engines! {
    async fn each_kind_has_a_lifetime_of_its_own(server, builder = short_lived()) {
        for (kind, minutes) in Kind::ALL.into_iter().zip([10, 20, 30, 40]) {
            let code = kind.code(&server).await;
            server.clock().advance_seconds(minutes * 60 - 1);
            kind.check(&server, &code).await.expect(200);
            server.clock().advance_seconds(1);
            kind.check(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
            kind.using(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        }
    }

    async fn without_configuration_all_live_seven_days(server, builder = builder()) {
        for kind in Kind::ALL {
            let code = kind.code(&server).await;
            server.clock().advance_seconds(7 * 24 * 60 * 60 - 1);
            kind.check(&server, &code).await.expect(200);
            server.clock().advance_seconds(1);
            kind.check(&server, &code).await.expect_error(400, "VERIFICATION_CODE_EXPIRED");
        }
    }
}
