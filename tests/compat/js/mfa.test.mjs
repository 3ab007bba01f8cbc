// The published client app, unmodified: signing in with a second factor.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { clientApp } from "./apps.mjs";
import { newEmail, onEachEngine, PASSWORD, totp } from "./harness.mjs";

/** The attempt code that the server answers while `block` runs; in a browser the SDK keeps it for its MFA page. */
async function attemptCodeOf(block) {
  const original = globalThis.fetch;
  let code;
  globalThis.fetch = async (...args) => {
    const response = await original(...args);
    const body = await response.clone().json().catch(() => null);
    if (body?.code === "MULTI_FACTOR_AUTHENTICATION_REQUIRED") code = body.details.attempt_code;
    return response;
  };
  try {
    await block();
  } finally {
    globalThis.fetch = original;
  }
  return code;
}

onEachEngine("second factors", (server) => {
  const newApp = () => clientApp(server, { redirectMethod: "none" });

  /** Somebody who switched TOTP on as the SDK's account page does it. */
  async function withSecondFactor() {
    const app = newApp();
    const [email, secret] = [newEmail(), randomBytes(20)];
    const signedUp = await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true, noRedirect: true });
    assert.equal(signedUp.status, "ok");
    const user = await app.getUser();
    assert.equal(user.isMultiFactorRequired, false);
    await user.update({ totpMultiFactorSecret: new Uint8Array(secret) });
    assert.equal((await app.getUser()).isMultiFactorRequired, true);
    return { app, email, secret };
  }

  /** The first factor. The SDK stops there, as its redirect to the MFA page does not happen here. */
  const firstFactor = (app, email) =>
    attemptCodeOf(() => assert.rejects(app.signInWithCredential({ email, password: PASSWORD, noRedirect: true })));

  test("a password alone signs nobody in, both factors do", async () => {
    const { email, secret } = await withSecondFactor();
    const app = newApp();
    const attempt = await firstFactor(app, email);
    assert.equal(attempt.length, 45);
    assert.equal(await app.getUser(), null);
    const result = await app.signInWithMfa(totp(secret), attempt, { noRedirect: true });
    assert.equal(result.status, "ok");
    const user = await app.getUser();
    assert.equal(user.primaryEmail, email);
    assert.equal(user.isMultiFactorRequired, true);
  });

  test("a wrong code is a known error, and the attempt goes on", async () => {
    const { email, secret } = await withSecondFactor();
    const app = newApp();
    const attempt = await firstFactor(app, email);
    const near = [-1, 0, 1].map((steps) => totp(secret, steps));
    const wrong = ["000000", "111111", "222222", "333333"].find((code) => !near.includes(code));
    const refused = await app.signInWithMfa(wrong, attempt, { noRedirect: true }).catch((error) => ({ status: "error", error }));
    assert.deepEqual([refused.status, refused.error.errorCode], ["error", "INVALID_TOTP_CODE"]);
    assert.equal((await app.signInWithMfa(totp(secret), attempt, { noRedirect: true })).status, "ok");
  });

  test("an attempt that was used is a typed error", async () => {
    const { email, secret } = await withSecondFactor();
    const app = newApp();
    const attempt = await firstFactor(app, email);
    assert.equal((await app.signInWithMfa(totp(secret), attempt, { noRedirect: true })).status, "ok");
    const again = await app.signInWithMfa(totp(secret, 1), attempt, { noRedirect: true });
    assert.equal(again.status, "error");
    assert.equal(again.error.errorCode, "VERIFICATION_CODE_ALREADY_USED");
  });

  test("switched off, a password is enough again", async () => {
    const { app, email } = await withSecondFactor();
    await (await app.getUser()).update({ totpMultiFactorSecret: null });
    const other = newApp();
    const result = await other.signInWithCredential({ email, password: PASSWORD, noRedirect: true });
    assert.equal(result.status, "ok");
    assert.equal((await other.getUser()).isMultiFactorRequired, false);
  });
});
