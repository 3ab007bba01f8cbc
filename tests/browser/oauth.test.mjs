// Signing in through a provider in a real browser: the published @stackframe/js, unmodified, goes to the provider that
// `latchkey dev` brings, comes back to its own page and redeems its code there.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { configure, newEmail, onEachEngine, PASSWORD, totp } from "../compat/js/harness.mjs";
import { openApp, servePage, startBrowser } from "./browser.mjs";

const URLS = {
  oauthCallback: "/callback", afterSignIn: "/welcome-back", afterSignUp: "/welcome", afterSignOut: "/bye",
  mfa: "/mfa", error: "/error",
};

onEachEngine("OAuth in a browser", (server) => {
  const undo = [];
  let context;
  let origin;
  let page;

  before(async () => {
    origin = `http://localhost:${await servePage(undo)}`;
    context = await startBrowser(undo);
    const provider = (type) => ({ type, isShared: true, allowSignIn: true, allowConnectedAccounts: true });
    await configure(server, { "auth.oauth.providers": { google: provider("google"), github: provider("github") } });
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });
  beforeEach(async () => {
    await context.clearCookies();
    await page?.close();
    page = await context.newPage();
    await page.goto(origin);
  });

  const app = () => openApp(page, server, { urls: URLS });

  /** Does something on the page that ends with another page, which takes the answer away with it. */
  const leave = (to, block) => Promise.all([page.waitForURL(to), block().catch(() => {})]);

  const atProvider = (url) => url.href.startsWith(`${server.mock_oauth_url}/authorize?`);
  const atCallback = (url) => url.href.startsWith(`${origin}/callback?`);

  /** Leaves for the provider. */
  async function goToProvider(provider = "google") {
    const stack = await app();
    await leave(atProvider, () => stack.evaluate((app, provider) => app.signInWithOAuth(provider), provider));
  }

  /** Somebody who is at the provider types who to be, and comes back to the page that the SDK named. */
  async function choose(email, fault = "") {
    const form = page.locator("form", { has: page.locator("input[type=email]") });
    if (fault !== "") {
      await page.selectOption("select[name=fault]", fault);
      await Promise.all([page.waitForURL(atCallback), page.click("button[name=sub]")]);
    } else {
      await form.locator("input[type=email]").fill(email);
      await Promise.all([page.waitForURL(atCallback), form.locator("button").click()]);
    }
  }

  /** What the page for callbacks does, as the SDK's guide has it; goes on to the page `to`. */
  async function callBack(to) {
    const stack = await app();
    await leave(`**${to}`, () => stack.evaluate((app) => app.callOAuthCallback()));
  }

  /** The error with which the call for callbacks ends. */
  async function callBackError() {
    const stack = await app();
    return stack.evaluate((app) =>
      app.callOAuthCallback().then(
        (value) => ({ value }),
        (error) => ({ code: error.errorCode, message: error.message, details: error.details }),
      ),
    );
  }

  async function signIn(email, to, provider) {
    await goToProvider(provider);
    await choose(email);
    await callBack(to);
  }

  /** The user whom the page knows. */
  async function user() {
    const stack = await app();
    return stack.evaluate(async (app) => {
      const user = await app.getUser();
      return user && { id: user.id, email: user.primaryEmail, verified: user.primaryEmailVerified, name: user.displayName };
    });
  }

  async function signOut() {
    const stack = await app();
    await leave("**/bye", () => stack.evaluate((app) => app.signOut()));
    assert.equal(await user(), null);
  }

  /** The accounts of the user whom the page knows. */
  async function accounts() {
    const stack = await app();
    return stack.evaluate(async (app) => {
      const providers = await (await app.getUser()).listOAuthProviders();
      return providers.map(({ type, email, allowSignIn, allowConnectedAccounts }) => [type, email, allowSignIn, allowConnectedAccounts]);
    });
  }

  /** Links an account to the user whom the page knows, and goes on to the page where that began. */
  async function link(provider, email, to) {
    const stack = await app();
    await leave(atProvider, () => stack.evaluate(async (app, provider) => (await app.getUser()).linkConnectedAccount(provider), provider));
    await choose(email);
    await callBack(to);
  }

  test("somebody new presses a button at the provider and is a user", async () => {
    await goToProvider();
    await Promise.all([page.waitForURL(atCallback), page.click("button[value='ada@example.com']")]);
    const given = new URL(page.url()).searchParams;
    assert.match(given.get("code"), /^[0-9a-f]{64}$/);
    await callBack("/welcome");
    const ada = await user();
    assert.deepEqual([ada.email, ada.verified, ada.name], ["ada@example.com", true, "Ada Lovelace"]);
    assert.deepEqual(await accounts(), [["google", "ada@example.com", true, true]]);
    // What the SDK needs on the way does not stay.
    const names = (await context.cookies()).map(({ name }) => name);
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
    const callback = page.url();
    await callBack("/welcome");
    const { id } = await user();
    await page.goto(callback);
    assert.deepEqual(await callBackError(), { value: false });
    assert.equal((await user()).id, id);
  });

  test("a callback that somebody else began signs nobody in", async () => {
    // Mallory stops before her own code is redeemed, and makes a victim open the address.
    await goToProvider();
    await choose(newEmail());
    const callback = page.url();
    await context.clearCookies();
    await page.goto(callback);
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
    const attempt = await page.evaluate(() => sessionStorage.getItem("hexclave_mfa_attempt_code"));
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
    await choose(null, "access_denied");
    const { code, message } = await callBackError();
    assert.equal(code, "OAUTH_PROVIDER_ACCESS_DENIED");
    assert.notEqual(message, "");
    assert.equal(await user(), null);
    // The SDK has taken the error out of the address.
    assert.equal(page.url(), `${origin}/callback`);
  });

  test("a provider that is down comes back as a typed error", async () => {
    await goToProvider();
    await choose(null, "down");
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
    await page.goto(`${origin}/settings`);
    await link("github", elsewhere, "/settings");
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
    const stack = await app();
    await leave(atProvider, () => stack.evaluate(async (app) => (await app.getUser()).linkConnectedAccount("github")));
    await choose(first);
    assert.equal((await callBackError()).code, "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER");
    assert.equal((await user()).id, id);
    assert.deepEqual(await accounts(), [["google", second, true, true]]);
  });
});
