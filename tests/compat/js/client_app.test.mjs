// The published client app, unmodified: what a front end does with Latchkey.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientApp } from "./apps.mjs";
import { newEmail, onEachEngine, PASSWORD, requestsOf } from "./harness.mjs";

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

function assertTypedError(result, code) {
  assert.equal(result.status, "error");
  assert.equal(result.error.errorCode, code);
}

onEachEngine("client app", (server) => {
  const newApp = (options) => clientApp(server, options);

  async function signedUp(email = newEmail(), options = {}) {
    const app = newApp(options);
    const result = await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    assert.equal(result.status, "ok");
    return app;
  }

  test("a visitor is nobody", async () => {
    assert.equal(await newApp().getUser(), null);
  });

  test("signing up signs in", async () => {
    const email = newEmail();
    const user = await (await signedUp(email)).getUser();
    assert.equal(user.primaryEmail, email);
    assert.equal(user.primaryEmailVerified, false);
    assert.equal(user.displayName, null);
    assert.equal(user.hasPassword, true);
    assert.equal(user.isAnonymous, false);
    assert.equal(user.isRestricted, false);
    assert.ok(user.signedUpAt <= new Date());
  });

  test("a user's own contact channels", async () => {
    const user = await (await signedUp()).getUser();
    const value = newEmail();
    const added = await user.createContactChannel({ type: "email", value, usedForAuth: false });
    assert.deepEqual([added.value, added.isVerified, added.isPrimary, added.usedForAuth], [value, false, false, false]);
    await added.update({ usedForAuth: true });
    assert.deepEqual((await user.listContactChannels()).map((one) => [one.value, one.usedForAuth]), [
      [user.primaryEmail, true],
      [value, true],
    ]);
    await (await user.listContactChannels())[1].delete();
    assert.equal((await user.listContactChannels()).length, 1);
  });

  test("notification preferences", async () => {
    const user = await (await signedUp()).getUser();
    const categories = await user.listNotificationCategories();
    assert.deepEqual(categories.map((one) => [one.name, one.enabled, one.canDisable]), [
      ["Transactional", true, false],
      ["Marketing", true, true],
    ]);
    await categories[1].setEnabled(false);
    assert.deepEqual((await user.listNotificationCategories()).map((one) => one.enabled), [true, false]);
  });

  test("a picture is sent inline and served", async () => {
    const app = await signedUp();
    const user = await app.getUser();
    const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==";
    await user.update({ profileImageUrl: pixel });
    const answer = await fetch((await app.getUser()).profileImageUrl);
    assert.equal(answer.headers.get("content-type"), "image/gif");
  });

  test("signing up with a callback sends the verification mail", async () => {
    const email = newEmail();
    const result = await newApp().signUpWithCredential({
      email,
      password: PASSWORD,
      verificationCallbackUrl: "http://localhost:3000/handler/email-verification",
    });
    assert.equal(result.status, "ok");
    const deadline = Date.now() + 10_000;
    let mails = [];
    while (mails.length === 0 && Date.now() < deadline) {
      const answer = await fetch(`${server.base_url}/dev/emails?to=${encodeURIComponent(email)}`);
      mails = (await answer.json()).items;
    }
    assert.equal(mails.length, 1);
    assert.match(mails[0].text, /http:\/\/localhost:3000\/handler\/email-verification\?code=[0-9a-z]{45}/);
  });

  test("signing up twice with an address is a typed error", async () => {
    const email = newEmail();
    await signedUp(email);
    const again = await newApp().signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    assertTypedError(again, "USER_EMAIL_ALREADY_EXISTS");
    assert.equal(again.error.details.email, email);
  });

  test("a short password is a typed error", async () => {
    const result = await newApp().signUpWithCredential({ email: newEmail(), password: "short", noVerificationCallback: true });
    assertTypedError(result, "PASSWORD_TOO_SHORT");
    assert.equal(result.error.details.min_length, 8);
  });

  test("a common password is a typed error with a sentence", async () => {
    const result = await newApp().signUpWithCredential({ email: newEmail(), password: "password123", noVerificationCallback: true });
    assertTypedError(result, "PASSWORD_REQUIREMENTS_NOT_MET");
    assert.ok(result.error.message.length > 0);
  });

  test("signing in gives the same user", async () => {
    const email = newEmail();
    const first = await (await signedUp(email)).getUser();
    const app = newApp();
    assert.equal((await app.signInWithCredential({ email, password: PASSWORD })).status, "ok");
    assert.equal((await app.getUser()).id, first.id);
  });

  test("a wrong password and an unknown address are the same typed error", async () => {
    const email = newEmail();
    await signedUp(email);
    for (const [address, password] of [[email, "not the password"], [newEmail(), PASSWORD]]) {
      const app = newApp();
      assertTypedError(await app.signInWithCredential({ email: address, password }), "EMAIL_PASSWORD_MISMATCH");
      assert.equal(await app.getUser(), null);
    }
  });

  test("getAuthJson gives both tokens, and another app is signed in by them", async () => {
    const user = await (await signedUp()).getUser();
    const tokens = await user.getAuthJson();
    assert.equal(claimsOf(tokens.accessToken).sub, user.id);
    assert.match(tokens.refreshToken, /^[0-9a-hjkmnp-tv-z]{45}$/);
    assert.equal((await newApp({ tokenStore: tokens }).getUser()).id, user.id);
  });

  test("a refresh token alone signs in, and stays the same", async () => {
    const user = await (await signedUp()).getUser();
    const { refreshToken } = await user.getAuthJson();
    const app = newApp({ tokenStore: { accessToken: "", refreshToken } });
    let again;
    const requests = await requestsOf(async () => (again = await app.getUser()));
    assert.equal(again.id, user.id);
    assert.deepEqual(requests.map(({ method, path }) => `${method} ${path}`), [
      "POST /api/v1/auth/oauth/token",
      "GET /api/v1/users/me",
    ]);
    assert.equal((await again.getAuthJson()).refreshToken, refreshToken);
  });

  test("an unknown refresh token is nobody", async () => {
    const tokenStore = { accessToken: "", refreshToken: "0".repeat(45) };
    assert.equal(await newApp({ tokenStore }).getUser(), null);
  });

  test("update changes the user and the next access token", async () => {
    const app = await signedUp();
    await (await app.getUser()).update({ displayName: "Ada", clientMetadata: { theme: ["dark", null, 1.5] } });
    const user = await app.getUser();
    assert.equal(user.displayName, "Ada");
    assert.deepEqual(user.clientMetadata, { theme: ["dark", null, 1.5] });
    assert.equal(claimsOf((await user.getAuthJson()).accessToken).name, "Ada");
  });

  test("signing out ends the session everywhere at once", async () => {
    const app = await signedUp();
    const user = await app.getUser();
    const tokens = await user.getAuthJson();
    const elsewhere = newApp({ tokenStore: tokens });
    await user.signOut();
    assert.equal(await app.getUser(), null);
    assert.equal(await elsewhere.getUser(), null);
    assert.equal(await newApp({ tokenStore: { accessToken: "", refreshToken: tokens.refreshToken } }).getUser(), null);
  });

  test("sessions are listed, and another one is revoked", async () => {
    const email = newEmail();
    const here = await (await signedUp(email)).getUser();
    const away = newApp();
    await away.signInWithCredential({ email, password: PASSWORD });
    const sessions = await here.getActiveSessions();
    assert.deepEqual(sessions.map((session) => session.isCurrentSession).sort(), [false, true]);
    await here.revokeSession(sessions.find((session) => !session.isCurrentSession).id);
    assert.equal((await here.getActiveSessions()).length, 1);
    assert.equal(await away.getUser(), null);
  });

  test("changing the password keeps this session and ends the others", async () => {
    const email = newEmail();
    const app = await signedUp(email);
    const away = newApp();
    await away.signInWithCredential({ email, password: PASSWORD });
    const user = await app.getUser();
    const wrong = await user.updatePassword({ oldPassword: "not the password", newPassword: "another harbour at 7" });
    assert.equal(wrong.errorCode, "PASSWORD_CONFIRMATION_MISMATCH");
    assert.equal(await user.updatePassword({ oldPassword: PASSWORD, newPassword: "another harbour at 7" }), undefined);
    assert.equal((await app.getUser()).id, user.id);
    assert.equal(await away.getUser(), null);
    assertTypedError(await newApp().signInWithCredential({ email, password: PASSWORD }), "EMAIL_PASSWORD_MISMATCH");
    assert.equal((await newApp().signInWithCredential({ email, password: "another harbour at 7" })).status, "ok");
  });

  test("an app without a publishable key works while the project does not require one", async () => {
    const app = await signedUp(newEmail(), { publishableClientKey: undefined });
    const { refreshToken } = await (await app.getUser()).getAuthJson();
    const tokenStore = { accessToken: "", refreshToken };
    assert.notEqual(await newApp({ publishableClientKey: undefined, tokenStore }).getUser(), null);
  });

  test("a browser may make every request of the SDK", async () => {
    const requests = await requestsOf(async () => {
      const app = await signedUp();
      const user = await app.getUser();
      await user.update({ displayName: "Ada" });
      await (await app.getUser()).signOut();
    });
    assert.ok(requests.length >= 6);
    for (const { method, path, headers, status } of requests) {
      assert.equal(status, 200, `${method} ${path}`);
      const preflight = await fetch(server.base_url + path, {
        method: "OPTIONS",
        headers: {
          origin: "http://localhost:3000",
          "access-control-request-method": method,
          "access-control-request-headers": headers.join(","),
        },
      });
      assert.equal(preflight.status, 200);
      assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
      const listed = (name) => preflight.headers.get(name).toLowerCase().split(/\s*,\s*/);
      assert.ok(listed("access-control-allow-methods").includes(method.toLowerCase()));
      const refused = headers.filter((name) => !listed("access-control-allow-headers").includes(name));
      assert.deepEqual(refused, [], `${method} ${path}`);
    }
  });
});
