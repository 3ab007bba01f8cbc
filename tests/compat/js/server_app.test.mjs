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

  test("sessions that a server creates are listed", async () => {
    const user = await newUser(newServerApp());
    await user.createSession({ expiresInMillis: 60_000 });
    await user.createSession({ isImpersonation: true });
    const sessions = await user.getActiveSessions();
    assert.deepEqual(sessions.map((session) => session.isImpersonation), [false]);
  });
});
