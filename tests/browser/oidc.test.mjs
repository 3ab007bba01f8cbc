// Nothing on the way is of this project but the server: the published @stackframe/js in a real browser, signing in through
// `oidc-provider` from npm.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { application } from "../compat/js/application.mjs";
import { newEmail, onEachEngine } from "../compat/js/harness.mjs";
import { pairwise } from "../compat/js/oidc_provider.mjs";
import { person } from "./person.mjs";

onEachEngine("OpenID Connect in a browser", (server) => {
  const undo = [];
  const { startProvider, accounts } = application(server, undo);
  const { app, leave, callBack, callBackError, user, signOut, page, origin } = person(server);
  let provider;

  before(async () => {
    const settings = { scopes: ["openid", "email", "profile", "offline_access"] };
    provider = await startProvider({ names: ["harbour"], settings });
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  const atCallback = (url) => url.href.startsWith(`${origin()}/callback?`);

  /** Leaves for the provider, which shows its first page. */
  async function goToProvider() {
    const stack = await app();
    const atProvider = (url) => url.href.startsWith(`${provider.issuer}/interaction/`);
    await leave(atProvider, () => stack.evaluate((app) => app.signInWithOAuth("harbour")));
  }

  /** Types who to be, on the provider's own page, which then asks for agreement. */
  async function logIn(login) {
    await page().fill("input[name=login]", login);
    await page().fill("input[name=password]", "any");
    await page().click("button[type=submit]");
    await page().waitForSelector("input[name=prompt][value=consent]", { state: "attached" });
  }

  const agree = () => Promise.all([page().waitForURL(atCallback), page().click("button[type=submit]")]);

  test("somebody new signs in, and whom the provider remembers only agrees the next time", async () => {
    const login = newEmail();
    await goToProvider();
    await logIn(login);
    await agree();
    await callBack("/welcome");
    const first = await user();
    assert.deepEqual([first.email, first.verified, first.name], [login, true, `Name of ${login}`]);
    assert.deepEqual(await accounts(first.id), [["harbour", pairwise(login, "client of harbour"), login]]);
    await signOut();
    await goToProvider();
    await agree();
    await callBack("/welcome-back");
    assert.equal((await user()).id, first.id);
  });

  test("somebody who presses Cancel comes back with a typed error", async () => {
    await goToProvider();
    await Promise.all([page().waitForURL(atCallback), page().click("a[href$='/abort']")]);
    assert.equal((await callBackError()).code, "OAUTH_PROVIDER_ACCESS_DENIED");
    assert.equal(await user(), null);
  });

  test("the application gets an access token that opens the account there", async () => {
    const login = newEmail();
    await goToProvider();
    await logIn(login);
    await agree();
    await callBack("/welcome");
    const stack = await app();
    const token = await stack.evaluate(async (app) => {
      const [account] = await (await app.getUser()).listConnectedAccounts();
      return account.getAccessToken();
    });
    assert.equal(token.status, "ok");
    assert.equal((await provider.ownerOf(token.data.accessToken)).email, login);
  });
});
