// What an OpenID Connect provider that this project did not write signs, and when Latchkey believes it: keys that change
// while people sign in, the usual algorithms, answers that belong to another sign-in or another provider.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { application } from "./application.mjs";
import { newEmail, onEachEngine } from "./harness.mjs";
import { APPLICATION, Visitor } from "./visitor.mjs";

onEachEngine("keys and answers of oidc-provider", (server) => {
  const undo = [];
  const { startProvider, begin, agree, redeem, signIn, call } = application(server, undo);

  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  // Each test has a provider of its own, since key sets are kept.
  afterEach(stop);
  after(stop);

  const countUsers = async () => (await call("/users")).body.items.length;

  /** Goes to the provider and agrees, and stops in front of Latchkey's callback. */
  async function callbackOf(visitor, { address }, login) {
    return new URL((await agree(visitor, address, login, `${server.base_url}/api/v1/auth/oauth/callback/`)).url);
  }

  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
    test(`ID tokens are believed that are signed with ${alg}`, async () => {
      const name = alg.toLowerCase();
      await startProvider({ names: [name], alg });
      const login = newEmail();
      const first = await signIn(name, login);
      assert.deepEqual([first.email, first.isNew], [login, true]);
    });
  }

  test("a client that authenticates in the form signs people in as well", async () => {
    await startProvider({ names: ["form"], auth: "client_secret_post" });
    assert.equal((await signIn("form", newEmail())).isNew, true);
  });

  test("a new key signs, and people go on signing in", async () => {
    const provider = await startProvider({ names: ["turning"] });
    const login = newEmail();
    const { id } = await signIn("turning", login);
    assert.equal((await signIn("turning", login)).id, id);
    assert.equal(provider.requestsTo("/jwks"), 1, "a key set is kept");
    provider.rotateKeys({ keepsOld: true });
    assert.equal((await signIn("turning", login)).id, id);
    assert.equal((await signIn("turning", login)).id, id);
    assert.equal(provider.requestsTo("/jwks"), 2, "only the new key made it be fetched again");
  });

  test("the old key is gone at once, and people go on signing in", async () => {
    const provider = await startProvider({ names: ["replaced"] });
    const login = newEmail();
    const { id } = await signIn("replaced", login);
    provider.rotateKeys({ keepsOld: false });
    assert.equal((await signIn("replaced", login)).id, id);
  });

  test("a key that the provider does not publish signs nobody in, and is asked for once", async () => {
    const provider = await startProvider({ names: ["secret-key"] });
    await signIn("secret-key", newEmail());
    await provider.rotateKeysInSecret();
    const [users, asked] = [await countUsers(), provider.requestsTo("/jwks")];
    for (const _ of [1, 2, 3]) {
      const page = await agree(new Visitor(), begin("secret-key").address, newEmail());
      assert.equal(page.status, 400);
    }
    assert.equal(await countUsers(), users);
    assert.equal(provider.requestsTo("/jwks"), asked + 1);
  });

  test("the answer to one sign-in does not finish another", async () => {
    const provider = await startProvider({ names: ["crossed"] });
    const [mallory, victim] = [new Visitor(), new Visitor()];
    const stolen = await callbackOf(mallory, begin("crossed"), newEmail());
    const meant = await callbackOf(victim, begin("crossed"), newEmail());
    const users = await countUsers();
    // Her code with the state of the victim's browser: the verifier does not fit.
    const injected = new URL(meant);
    injected.searchParams.set("code", stolen.searchParams.get("code"));
    assert.equal((await victim.open(injected)).status, 400);
    assert.equal(provider.events.refused.at(-1), "invalid_grant");
    // And her whole answer in the victim's browser: that browser did not begin it.
    assert.equal((await victim.open(stolen)).status, 400);
    assert.equal(await countUsers(), users);
  });

  test("an answer is taken once", async () => {
    await startProvider({ names: ["once"] });
    const visitor = new Visitor();
    const started = begin("once");
    const callback = await callbackOf(visitor, started, newEmail());
    await redeem(await visitor.open(callback), started.verifier);
    assert.equal((await visitor.open(callback)).status, 400);
  });

  test("an answer says which provider it is from, or it is not taken", async () => {
    await startProvider({ names: ["named"] });
    for (const spoil of [(url) => url.searchParams.delete("iss"), (url) => url.searchParams.set("iss", "https://other.example")]) {
      const visitor = new Visitor();
      const callback = await callbackOf(visitor, begin("named"), newEmail());
      assert.ok(callback.searchParams.get("iss"), "the provider says it");
      spoil(callback);
      const page = await visitor.open(callback);
      assert.notEqual(page.url.origin, APPLICATION);
      assert.equal(page.status, 400);
    }
  });

  test("a code of one provider is of no use at another", async () => {
    await startProvider({ names: ["honest"] });
    const other = await startProvider({ names: ["attacking"] });
    const visitor = new Visitor();
    const callback = await callbackOf(visitor, begin("honest"), newEmail());
    const crossed = new URL(callback.href.replace("/callback/honest", "/callback/attacking"));
    assert.equal((await visitor.open(crossed)).status, 400);
    assert.equal(other.requestsTo("/token"), 0, "the code of the honest provider was not given away");
  });
});
