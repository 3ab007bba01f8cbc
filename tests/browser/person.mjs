// A person in a browser at the pages of an application that uses the published @stackframe/js, unmodified, and at the
// provider that `latchkey dev` brings. Owns that browser and its page, which is a new one for each test.
import assert from "node:assert/strict";
import { after, before, beforeEach } from "node:test";
import { openApp, servePage, startBrowser } from "./browser.mjs";

const URLS = {
  oauthCallback: "/callback", afterSignIn: "/welcome-back", afterSignUp: "/welcome", afterSignOut: "/bye",
  mfa: "/mfa", error: "/error",
};

/** Declares the hooks of a suite that `onEachEngine` runs, and gives what a person does there. */
export function person(server) {
  const undo = [];
  let context;
  let origin;
  let page;

  before(async () => {
    origin = `http://localhost:${await servePage(undo)}`;
    context = await startBrowser(undo);
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
  async function choose(email) {
    const form = page.locator("form", { has: page.locator("input[type=email]") });
    await form.locator("input[type=email]").fill(email);
    await Promise.all([page.waitForURL(atCallback), form.locator("button").click()]);
  }

  /** Somebody who is at the provider presses the button of Ada, and perhaps something goes wrong. */
  async function beAda(fault = "") {
    await page.selectOption("select[name=fault]", fault);
    await Promise.all([page.waitForURL(atCallback), page.click("button[value='ada@example.com']")]);
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

  /** Leaves for the provider to link an account to the user whom the page knows. */
  async function goAndLink(provider) {
    const stack = await app();
    await leave(atProvider, () => stack.evaluate(async (app, provider) => (await app.getUser()).linkConnectedAccount(provider), provider));
  }

  return {
    app, leave, atProvider, goToProvider, goAndLink, choose, beAda, callBack, callBackError, signIn, signOut, user, accounts,
    page: () => page,
    origin: () => origin,
    context: () => context,
  };
}
