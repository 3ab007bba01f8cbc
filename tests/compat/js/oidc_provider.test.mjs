// Signing in through an OpenID Connect provider that this project did not write: `oidc-provider` from npm, strict, on
// loopback, with a person whose browser knows no scripts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { application } from "./application.mjs";
import { newEmail, onEachEngine, PASSWORD } from "./harness.mjs";
import { pairwise } from "./oidc_provider.mjs";
import { APPLICATION, Visitor } from "./visitor.mjs";

onEachEngine("OpenID Connect by oidc-provider", (server) => {
  const undo = [];
  const { startProvider, begin, agree, signIn, call, accounts } = application(server, undo);
  let provider;

  before(async () => {
    provider = await startProvider();
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  test("somebody new signs in with the claims that the provider gives, and is the same user the next time", async () => {
    const login = newEmail();
    const visitor = new Visitor();
    const first = await signIn("harbour", login, { visitor });
    assert.deepEqual([first.email, first.verified, first.name, first.isNew], [login, true, `Name of ${login}`, true]);
    const again = await signIn("harbour", login, { visitor });
    assert.deepEqual([again.id, again.isNew], [first.id, false]);
    const elsewhere = await signIn("harbour", login);
    assert.deepEqual([elsewhere.id, elsewhere.isNew], [first.id, false]);
    assert.deepEqual(await accounts(first.id), [["harbour", pairwise(login, "client of harbour"), login]]);
  });

  test("the provider demands PKCE and a nonce is sent, new ones each time", async () => {
    const before = provider.events.authorizations.length;
    const visitor = new Visitor();
    const login = newEmail();
    await signIn("harbour", login, { visitor });
    await signIn("harbour", login, { visitor });
    const [one, two] = provider.events.authorizations.slice(before);
    for (const request of [one, two]) {
      assert.equal(request.code_challenge_method, "S256");
      assert.equal(Buffer.from(request.code_challenge, "base64url").length, 32);
    }
    for (const name of ["nonce", "state", "code_challenge"]) assert.ok(one[name] && one[name] !== two[name], name);
    // That it does demand it:
    const bare = new URL((await fetch(begin("harbour").address, { redirect: "manual" })).headers.get("location"));
    bare.searchParams.delete("code_challenge");
    bare.searchParams.delete("code_challenge_method");
    const refused = await visitor.open(bare);
    assert.equal(provider.events.refused.at(-1), "invalid_request", refused.html);
  });

  test("another client of the provider sees another subject, and the verified address joins the two", async () => {
    const login = newEmail();
    const harbour = await signIn("harbour", login);
    const lighthouse = await signIn("lighthouse", login);
    assert.deepEqual([lighthouse.id, lighthouse.isNew], [harbour.id, false]);
    const subjects = await accounts(harbour.id);
    assert.deepEqual(subjects, ["harbour", "lighthouse"].map((name) => [name, pairwise(login, `client of ${name}`), login]));
    assert.notEqual(subjects[0][1], subjects[1][1]);
  });

  test("an address that the provider has not verified joins nobody", async () => {
    const login = `unverified-${newEmail()}`;
    const harbour = await signIn("harbour", login);
    assert.equal(harbour.verified, false);
    const { address } = begin("lighthouse");
    const page = await agree(new Visitor(), address, login);
    assert.equal(page.parameter("errorCode"), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
    assert.equal((await accounts(harbour.id)).length, 1);
  });

  test("a provider whose word about addresses is not trusted joins nobody, whatever it says", async () => {
    const login = newEmail();
    const { id } = await signIn("harbour", login);
    await startProvider({ names: ["stranger"], settings: { trustEmailVerified: false } });
    const page = await agree(new Visitor(), begin("stranger").address, login);
    assert.equal(page.parameter("errorCode"), "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE");
    assert.equal((await accounts(id)).length, 1);
    assert.equal((await signIn("stranger", newEmail())).verified, false);
  });

  test("a provider that gives no address makes a user without one", async () => {
    const login = `silent-${newEmail()}`;
    const first = await signIn("harbour", login);
    assert.deepEqual([first.email, first.name, first.isNew], [null, null, true]);
    assert.equal((await signIn("harbour", login)).id, first.id);
  });

  test("somebody who is signed in links an account, also one that has another address", async () => {
    const [email, login] = [newEmail(), newEmail()];
    const { body } = await call("/auth/password/sign-up", { method: "POST", body: { email, password: PASSWORD } });
    const linked = await signIn("harbour", login, { parameters: { type: "link", token: body.access_token } });
    assert.deepEqual([linked.id, linked.email, linked.isNew], [body.user_id, email, false]);
    assert.equal((await signIn("harbour", login)).id, body.user_id);
  });

  test("somebody who says no comes back with an error, before the login and after it", async () => {
    const before = new Visitor();
    const atLogin = await before.open(begin("harbour").address);
    const after = new Visitor();
    const atConsent = await after.submit(await after.open(begin("harbour").address), { login: newEmail(), password: "any" });
    for (const [visitor, page] of [[before, atLogin], [after, atConsent]]) {
      const back = await visitor.follow(page, "/abort");
      assert.equal(back.url.origin, APPLICATION);
      assert.equal(back.parameter("errorCode"), "OAUTH_PROVIDER_ACCESS_DENIED");
      assert.equal(back.parameter("code"), null);
    }
  });

  test("an error of the provider comes back as its trouble", async () => {
    const page = await agree(new Visitor(), begin("harbour").address, `nobody-${newEmail()}`);
    assert.equal(page.url.origin, APPLICATION, `${page.status} ${page.url} ${page.html}`);
    assert.equal(page.parameter("errorCode"), "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE");
  });

  test("the secret is what the provider knows, or nobody signs in", async () => {
    const other = await startProvider({ secret: "another secret", names: ["wrong-secret"] });
    const page = await agree(new Visitor(), begin("wrong-secret").address, newEmail());
    assert.deepEqual([page.status, page.code], [400, null]);
    assert.equal(other.events.refused.at(-1), "invalid_client");
  });
});
