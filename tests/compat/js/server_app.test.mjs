// The published server app, unmodified: what a back end does with Latchkey.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { StackClientApp, StackServerApp } from "@stackframe/js";
import { newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

onEachEngine("server app", (server) => {
  const common = () => ({
    baseUrl: server.base_url,
    projectId: server.project_id,
    publishableClientKey: server.publishable_client_key,
    tokenStore: "memory",
  });
  const newServerApp = (options = {}) =>
    new StackServerApp({ ...common(), secretServerKey: server.secret_server_key, ...options });

  const newUser = (app, options = {}) =>
    app.createUser({ primaryEmail: newEmail(), primaryEmailAuthEnabled: true, password: PASSWORD, ...options });

  test("a created user has what it was created with", async () => {
    const app = newServerApp();
    const primaryEmail = newEmail();
    const created = await newUser(app, {
      primaryEmail,
      primaryEmailVerified: true,
      displayName: "Grace",
      clientMetadata: { a: 1 },
      clientReadOnlyMetadata: { b: 2 },
      serverMetadata: { c: 3 },
    });
    for (const user of [created, await app.getUser(created.id)]) {
      assert.equal(user.id, created.id);
      assert.equal(user.primaryEmail, primaryEmail);
      assert.equal(user.primaryEmailVerified, true);
      assert.equal(user.displayName, "Grace");
      assert.deepEqual(user.clientMetadata, { a: 1 });
      assert.deepEqual(user.clientReadOnlyMetadata, { b: 2 });
      assert.deepEqual(user.serverMetadata, { c: 3 });
      assert.equal(user.hasPassword, true);
      assert.equal(user.isAnonymous, false);
      assert.ok(user.lastActiveAt >= user.signedUpAt);
      assert.deepEqual(user.riskScores, { signUp: { bot: 0, freeTrialAbuse: 0 } });
    }
  });

  test("a created user signs in by the client app", async () => {
    const created = await newUser(newServerApp());
    const app = new StackClientApp(common());
    assert.equal((await app.signInWithCredential({ email: created.primaryEmail, password: PASSWORD })).status, "ok");
    assert.equal((await app.getUser()).id, created.id);
  });

  test("an unknown user is null", async () => {
    assert.equal(await newServerApp().getUser(randomUUID()), null);
  });

  test("update changes metadata that only servers see", async () => {
    const app = newServerApp();
    const { id } = await newUser(app);
    await (await app.getUser(id)).update({ serverMetadata: { plan: "team" }, displayName: "Joan" });
    const user = await app.getUser(id);
    assert.deepEqual(user.serverMetadata, { plan: "team" });
    assert.equal(user.displayName, "Joan");
  });

  test("a deleted user is gone, and signed out", async () => {
    const app = newServerApp();
    const user = await newUser(app);
    const session = await user.createSession({});
    const client = new StackClientApp({ ...common(), tokenStore: await session.getTokens() });
    assert.equal((await client.getUser()).id, user.id);
    await user.delete();
    assert.equal(await app.getUser(user.id), null);
    assert.equal(await client.getUser(), null);
  });

  test("the user of a request is known by the tokens that the front end sends along", async () => {
    const client = new StackClientApp(common());
    await client.signUpWithCredential({ email: newEmail(), password: PASSWORD, noVerificationCallback: true });
    const user = await client.getUser();
    for (const headers of [await user.getAuthHeaders(), { authorization: await user.getAuthorizationHeader() }]) {
      const seen = await newServerApp({ tokenStore: null }).getUser({ tokenStore: { headers: new Headers(headers) } });
      assert.equal(seen.id, user.id);
      assert.equal(seen.serverMetadata, null);
    }
    assert.equal(await newServerApp({ tokenStore: null }).getUser({ tokenStore: { headers: new Headers() } }), null);
  });

  test("users are listed in pages, searched and ordered", async () => {
    const app = newServerApp();
    const name = `Zebedee ${randomUUID().slice(0, 8)}`;
    const created = [];
    for (let number = 0; number < 5; number++) created.push((await newUser(app, { displayName: `${name} ${number}` })).id);
    const seen = [];
    let cursor;
    do {
      const page = await app.listUsers({ limit: 2, query: name.toUpperCase(), orderBy: "signedUpAt", cursor });
      assert.ok(page.length <= 2);
      seen.push(...page.map((user) => user.id));
      cursor = page.nextCursor;
    } while (cursor);
    assert.deepEqual(new Set(seen), new Set(created));
    assert.equal(seen.length, created.length);
    const newest = await app.listUsers({ query: name, desc: true, orderBy: "signedUpAt" });
    assert.deepEqual(newest.map((user) => user.id), seen.reverse());
    assert.equal(newest.nextCursor, null);
  });

  test("metadata of all three kinds is set and seen by whom it should be", async () => {
    const app = newServerApp();
    const user = await newUser(app);
    await user.setServerMetadata({ secret: 1 });
    await user.setClientReadOnlyMetadata({ plan: "team" });
    await user.setClientMetadata({ theme: "dark" });
    const seen = await app.getUser(user.id);
    assert.deepEqual([seen.serverMetadata, seen.clientReadOnlyMetadata, seen.clientMetadata], [{ secret: 1 }, { plan: "team" }, { theme: "dark" }]);
    const session = await user.createSession({});
    const mine = await new StackClientApp({ ...common(), tokenStore: await session.getTokens() }).getUser();
    assert.deepEqual([mine.serverMetadata, mine.clientReadOnlyMetadata], [undefined, { plan: "team" }]);
  });

  test("contact channels are made, changed, verified and removed", async () => {
    const user = await newUser(newServerApp());
    const value = newEmail();
    const channel = await user.createContactChannel({ type: "email", value, usedForAuth: false, isVerified: true });
    assert.deepEqual([channel.value, channel.isVerified, channel.isPrimary], [value, true, false]);
    await channel.update({ isPrimary: true });
    const channels = await user.listContactChannels();
    assert.deepEqual(channels.map((one) => [one.value, one.isPrimary]), [[user.primaryEmail, false], [value, true]]);
    await channels[0].delete();
    assert.deepEqual((await user.listContactChannels()).map((one) => one.value), [value]);
  });

  test("sessions that a server creates are listed", async () => {
    const user = await newUser(newServerApp());
    await user.createSession({ expiresInMillis: 60_000 });
    await user.createSession({ isImpersonation: true });
    const sessions = await user.getActiveSessions();
    assert.deepEqual(sessions.map((session) => session.isImpersonation), [false]);
  });
});
