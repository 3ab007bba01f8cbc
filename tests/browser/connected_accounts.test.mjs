// Connected accounts in a real browser: what the published @stackframe/js, unmodified, does to get an access token of a
// provider for the application, and to get the person's agreement where it lacks.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { configure, newEmail, onEachEngine } from "../compat/js/harness.mjs";
import { person } from "./person.mjs";

onEachEngine("connected accounts in a browser", (server) => {
  const { app, leave, atProvider, goAndLink, choose, callBack, signIn, signOut, page, origin } = person(server);

  before(async () => {
    // The provider of dev, once as what shared providers are, and once as a provider with an application of one's own.
    const harbour = { type: "oidc", isShared: false, issuer: server.mock_oauth_url, clientId: "harbour", clientSecret: "any" };
    const google = { type: "google", isShared: true };
    const both = { allowSignIn: true, allowConnectedAccounts: true };
    await configure(server, { "auth.oauth.providers": { google: { ...google, ...both }, harbour: { ...harbour, ...both } } });
  });

  /** Whose account a token opens at the provider. */
  async function ownerOf(token) {
    const answer = await fetch(`${server.mock_oauth_url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    return answer.status === 200 ? (await answer.json()).email : null;
  }

  test("the application gets an access token of the provider through which its user signed in", async () => {
    const email = newEmail();
    await signIn(email, "/welcome");
    const stack = await app();
    const [provider, { accessToken }] = await stack.evaluate(async (app) => {
      const account = await (await app.getUser()).getConnectedAccount("google");
      return [account.provider, await account.getAccessToken()];
    });
    assert.equal(provider, "google");
    assert.equal(await ownerOf(accessToken), email);
  });

  test("an account that was linked is listed, and gives its own token", async () => {
    const [email, elsewhere] = [newEmail(), newEmail()];
    await signIn(email, "/welcome");
    await page().goto(`${origin()}/settings`);
    await goAndLink("harbour");
    await choose(elsewhere);
    await callBack("/settings");
    const stack = await app();
    const accounts = await stack.evaluate(async (app) => {
      const user = await app.getUser();
      const listed = await user.listConnectedAccounts();
      return Promise.all(listed.map(async (listed) => {
        const { provider, providerAccountId } = listed;
        const account = await user.getConnectedAccount({ provider, providerAccountId });
        return [provider, providerAccountId, await account.getAccessToken()];
      }));
    });
    assert.deepEqual(accounts.map(([provider, id, token]) => [provider, id, token.status]), [["google", email, "ok"], ["harbour", elsewhere, "ok"]]);
    assert.deepEqual(await Promise.all(accounts.map(([, , token]) => ownerOf(token.data.accessToken))), [email, elsewhere]);
  });

  test("a scope that lacks is a typed error, and asking for it leads to the provider and back", async () => {
    const email = newEmail();
    await signIn(email, "/welcome", "harbour");
    let stack = await app();
    const ask = (stack) => stack.evaluate(async (app) => {
      const [account] = await (await app.getUser()).listConnectedAccounts();
      const token = await account.getAccessToken({ scopes: ["calendar"] });
      return token.status === "ok" ? token.data.accessToken : token.error.errorCode;
    });
    assert.equal(await ask(stack), "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE");
    await leave(atProvider, () => stack.evaluate(async (app) => (await app.getUser()).getOrLinkConnectedAccount("harbour", { scopes: ["calendar"] })));
    assert.ok(new URL(page().url()).searchParams.get("scope").split(" ").includes("calendar"));
    await choose(email);
    await callBack("/welcome");
    stack = await app();
    assert.equal(await ownerOf(await ask(stack)), email);
    // Now there is one that will do, so nobody is sent away.
    const found = await stack.evaluate(async (app) => (await (await app.getUser()).getOrLinkConnectedAccount("harbour", { scopes: ["calendar"] })).providerAccountId);
    assert.equal(found, email);
  });

  test("somebody who has no account there is asked to link one, or gets nothing", async () => {
    const email = newEmail();
    await signIn(email, "/welcome");
    const stack = await app();
    assert.equal(await stack.evaluate(async (app) => (await app.getUser()).getConnectedAccount("harbour")), null);
    await leave(atProvider, () => stack.evaluate(async (app) => (await app.getUser()).getConnectedAccount("harbour", { or: "redirect" })));
    await choose(email);
    await callBack("/welcome");
    const again = await app();
    const token = await again.evaluate(async (app) => (await (await app.getUser()).getConnectedAccount("harbour")).getAccessToken());
    assert.equal(await ownerOf(token.accessToken), email);
  });

  test("an account that the person withdraws from the application gives no token any more", async () => {
    const email = newEmail();
    await signIn(email, "/welcome");
    const stack = await app();
    const withdrawn = await stack.evaluate(async (app) => {
      const user = await app.getUser();
      const [provider] = await user.listOAuthProviders();
      await provider.update({ allowConnectedAccounts: false });
      return [await user.listConnectedAccounts(), await user.getConnectedAccount("google")];
    });
    assert.deepEqual(withdrawn, [[], null]);
    await signOut();
    await signIn(email, "/welcome-back");
  });
});
