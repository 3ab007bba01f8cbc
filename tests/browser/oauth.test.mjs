// Signing in through a provider in a real browser: the published @stackframe/js, unmodified, goes to the provider that
// `latchkey dev` brings, comes back to its own page and redeems its code there.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { configure, newEmail, onEachEngine, PASSWORD, totp } from "../compat/js/harness.mjs";
import { person } from "./person.mjs";

onEachEngine("OAuth in a browser", (server) => {
  const { app, leave, atProvider, goToProvider, goAndLink, choose, beAda, callBack, callBackError, ...rest } = person(server);
  const { signIn, signOut, user, accounts, page, origin, context } = rest;

  before(async () => {
    const provider = (type) => ({ type, isShared: true, allowSignIn: true, allowConnectedAccounts: true });
    await configure(server, { "auth.oauth.providers": { google: provider("google"), github: provider("github") } });
  });

  test("somebody new presses a button at the provider and is a user", async () => {
    await goToProvider();
    await beAda();
    const given = new URL(page().url()).searchParams;
    assert.match(given.get("code"), /^[0-9a-f]{64}$/);
    await callBack("/welcome");
    const ada = await user();
    assert.deepEqual([ada.email, ada.verified, ada.name], ["ada@example.com", true, "Ada Lovelace"]);
    assert.deepEqual(await accounts(), [["google", "ada@example.com", true, true]]);
    // What the SDK needs on the way does not stay.
    const names = (await context().cookies()).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => /oauth-(inner|outer)/.test(name)), []);
  });

  test("somebody who returns is the same user and is welcomed back", async () => {
    const email = newEmail();
    await signIn(email, "/welcome");
    const { id } = await user();
    await signOut();
    await signIn(email, "/welcome-back");
    assert.equal((await user()).id, id);
  });

  test("the page that the application names is where it goes on", async () => {
    const stack = await app();
    const start = () => stack.evaluate((app) => app.signInWithOAuth("google", { returnTo: "/basket?item=7" }));
    await leave(atProvider, start);
    await choose(newEmail());
    await callBack("/basket?item=7");
    assert.notEqual(await user(), null);
  });

  test("the session that comes out is renewed and ends like any other", async () => {
    await signIn(newEmail(), "/welcome");
    const stack = await app();
    const tokens = await stack.evaluate(async (app) => (await app.getUser()).currentSession.getTokens());
    const me = (token) =>
      fetch(`${server.base_url}/api/v1/users/me`, {
        headers: { "x-stack-project-id": server.project_id, "x-stack-access-type": "client", "x-stack-publishable-client-key": server.publishable_client_key, "x-stack-access-token": token },
      });
    assert.equal((await me(tokens.accessToken)).status, 200);
    const renew = { grant_type: "refresh_token", client_id: server.project_id, client_secret: server.publishable_client_key, refresh_token: tokens.refreshToken };
    const refreshed = () => fetch(`${server.base_url}/api/v1/auth/oauth/token`, { method: "POST", body: new URLSearchParams(renew) });
    const { access_token } = await (await refreshed()).json();
    assert.equal((await me(access_token)).status, 200);
    await signOut();
    assert.equal((await refreshed()).status, 401);
  });

  test("a page that is loaded again does not redeem its code again", async () => {
    await goToProvider();
    await choose(newEmail());
    const callback = page().url();
    await callBack("/welcome");
    const { id } = await user();
    await page().goto(callback);
    assert.deepEqual(await callBackError(), { value: false });
    assert.equal((await user()).id, id);
  });

  test("a callback that somebody else began signs nobody in", async () => {
    // Mallory stops before her own code is redeemed, and makes a victim open the address.
    await goToProvider();
    await choose(newEmail());
    const callback = page().url();
    await context().clearCookies();
    await page().goto(callback);
    assert.deepEqual(await callBackError(), { value: false });
    assert.equal(await user(), null);
  });

  test("a user with a second factor is asked for it, and then is signed in", async () => {
    const [email, secret] = [newEmail(), randomBytes(20)];
    await signIn(email, "/welcome");
    const { id } = await user();
    let stack = await app();
    await stack.evaluate(async (app, secret) => (await app.getUser()).update({ totpMultiFactorSecret: new Uint8Array(secret) }), [...secret]);
    await signOut();
    await signIn(email, "/mfa");
    assert.equal(await user(), null);
    const attempt = await page().evaluate(() => sessionStorage.getItem("hexclave_mfa_attempt_code"));
    assert.equal(attempt.length, 45);
    const near = [-1, 0, 1].map((steps) => totp(secret, steps));
    const wrong = ["000000", "111111", "222222", "333333"].find((code) => !near.includes(code));
    stack = await app();
    const refused = await stack.evaluate((app, [totp, attempt]) =>
      app.signInWithMfa(totp, attempt).then((result) => result.error.errorCode, (error) => error.errorCode), [wrong, attempt]);
    assert.equal(refused, "INVALID_TOTP_CODE");
    await leave("**/welcome-back", () => stack.evaluate((app, [totp, attempt]) => app.signInWithMfa(totp, attempt), [totp(secret), attempt]));
    assert.equal((await user()).id, id);
  });

  test("somebody who says no at the provider comes back with a typed error", async () => {
    await goToProvider();
    await beAda("access_denied");
    const { code, message } = await callBackError();
    assert.equal(code, "OAUTH_PROVIDER_ACCESS_DENIED");
    assert.notEqual(message, "");
    assert.equal(await user(), null);
    // The SDK has taken the error out of the address.
    assert.equal(page().url(), `${origin()}/callback`);
  });

  test("a provider that is down comes back as a typed error", async () => {
    await goToProvider();
    await beAda("down");
    assert.equal((await callBackError()).code, "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE");
  });

  test("an address that a password holds and nobody has verified is not taken over", async () => {
    const email = newEmail();
    const stack = await app();
    const signUp = (app, [email, password]) => app.signUpWithCredential({ email, password, noVerificationCallback: true, noRedirect: true });
    assert.equal((await stack.evaluate(signUp, [email, PASSWORD])).status, "ok");
    await signOut();
    await goToProvider();
    await choose(email);
    const { code, details } = await callBackError();
    assert.equal(code, "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
    assert.deepEqual(details, { type: "email", contact_channel_value: email, would_work_if_email_was_verified: true });
    assert.equal(await user(), null);
  });

  test("somebody who is signed in links an account and signs in with it later", async () => {
    const [own, elsewhere] = [newEmail(), newEmail()];
    await signIn(own, "/welcome");
    const { id } = await user();
    await page().goto(`${origin()}/settings`);
    await goAndLink("github");
    await choose(elsewhere);
    await callBack("/settings");
    assert.deepEqual(await user().then((user) => [user.id, user.email]), [id, own]);
    assert.deepEqual(await accounts(), [["google", own, true, true], ["github", elsewhere, true, true]]);
    await signOut();
    await signIn(elsewhere, "/welcome-back", "github");
    assert.equal((await user()).id, id);
  });

  test("an account of another user is not linked", async () => {
    const [first, second] = [newEmail(), newEmail()];
    await signIn(first, "/welcome", "github");
    await signOut();
    await signIn(second, "/welcome");
    const { id } = await user();
    await goAndLink("github");
    await choose(first);
    assert.equal((await callBackError()).code, "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER");
    assert.equal((await user()).id, id);
    assert.deepEqual(await accounts(), [["google", second, true, true]]);
  });
});
