// Access tokens of an OpenID Connect provider that this project did not write, for the application's own use: fetched
// when they are wanted, by refresh tokens of which the provider takes each one once and ends everything if one comes again.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { application } from "./application.mjs";
import { newEmail, onEachEngine } from "./harness.mjs";
import { pairwise } from "./oidc_provider.mjs";

const OFFLINE = { scopes: ["openid", "email", "profile", "offline_access"] };

onEachEngine("access tokens of oidc-provider", (server) => {
  const undo = [];
  const { startProvider, signIn, call } = application(server, undo);

  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  afterEach(stop);
  after(stop);

  /** What the application gets when it asks for an access token of a provider. */
  const ask = (user, name, scope) => call(`/connected-accounts/me/${name}/access-token`, { method: "POST", token: user.token, body: scope ? { scope } : {} });

  async function tokenOf(user, name) {
    const { status, body } = await ask(user, name);
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual(Object.keys(body), ["access_token"]);
    return body.access_token;
  }

  test("the application gets a token that opens the account of its user and no other", async () => {
    const provider = await startProvider({ names: ["open"], settings: OFFLINE });
    const [one, two] = [newEmail(), newEmail()];
    const [first, second] = [await signIn("open", one), await signIn("open", two)];
    for (const [user, login] of [[first, one], [second, two]]) {
      const owner = await provider.ownerOf(await tokenOf(user, "open"));
      assert.deepEqual([owner.sub, owner.email], [pairwise(login, "client of open"), login]);
    }
    const listed = await call("/connected-accounts/me", { token: first.token });
    assert.deepEqual(listed.body.items, [{ user_id: first.id, provider: "open", provider_account_id: pairwise(one, "client of open") }]);
  });

  test("a token that lives long enough is kept", async () => {
    const provider = await startProvider({ names: ["kept"], settings: OFFLINE, lifetime: 3600 });
    const user = await signIn("kept", newEmail());
    const token = await tokenOf(user, "kept");
    assert.equal(await tokenOf(user, "kept"), token);
    assert.equal(provider.events.refreshed, 0);
  });

  test("a token that ends soon is renewed, each time by the newest refresh token", async () => {
    const provider = await startProvider({ names: ["short"], settings: OFFLINE, lifetime: 60 });
    const user = await signIn("short", newEmail());
    const tokens = [];
    for (const _ of [1, 2, 3, 4]) tokens.push(await tokenOf(user, "short"));
    assert.equal(new Set(tokens).size, 4);
    assert.equal(provider.events.refreshed, 4);
    for (const token of tokens) assert.equal((await provider.ownerOf(token)).email, user.email);
    assert.deepEqual(provider.events.revoked, []);
  });

  test("many who want a token at the same time use no refresh token twice", async () => {
    const provider = await startProvider({ names: ["raced"], settings: OFFLINE, lifetime: 60 });
    const user = await signIn("raced", newEmail());
    for (const _ of [1, 2, 3]) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(user, "raced")));
      assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(201), JSON.stringify(answers));
    }
    assert.deepEqual([provider.events.revoked, provider.events.refused], [[], []], "the provider saw nothing twice");
    assert.equal((await provider.ownerOf(await tokenOf(user, "raced"))).email, user.email);
  });

  test("a key that the provider changed does not stop renewals", async () => {
    const provider = await startProvider({ names: ["rekeyed"], settings: OFFLINE, lifetime: 60 });
    const user = await signIn("rekeyed", newEmail());
    provider.rotateKeys({ keepsOld: false });
    assert.equal((await provider.ownerOf(await tokenOf(user, "rekeyed"))).email, user.email);
  });

  test("what the person has taken back is not handed out, until they agree again", async () => {
    const provider = await startProvider({ names: ["revoked"], settings: OFFLINE, lifetime: 3600 });
    const login = newEmail();
    const user = await signIn("revoked", login);
    const token = await tokenOf(user, "revoked");
    provider.revokeEverything();
    assert.equal(await provider.ownerOf(token), null);
    for (const _ of [1, 2]) assert.equal((await ask(user, "revoked")).code, "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE");
    const again = await signIn("revoked", login);
    assert.equal(again.id, user.id);
    assert.equal((await provider.ownerOf(await tokenOf(again, "revoked"))).email, login);
  });

  test("a scope that was not granted is an error, one that was is not", async () => {
    await startProvider({ names: ["scoped"], settings: OFFLINE });
    const user = await signIn("scoped", newEmail());
    assert.equal((await ask(user, "scoped", "email profile")).status, 201);
    assert.equal((await ask(user, "scoped", "email calendar")).code, "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE");
  });

  test("a provider that nobody linked is an error", async () => {
    await startProvider({ names: ["linked", "unlinked"], settings: OFFLINE });
    const user = await signIn("linked", newEmail());
    assert.equal((await ask(user, "unlinked")).code, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER");
    assert.equal((await ask(user, "unknown")).code, "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED");
  });
});
