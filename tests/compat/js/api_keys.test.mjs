// API keys of users and teams, and the data vault, by the published client and server apps, unmodified.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { StackClientApp, StackServerApp } from "@stackframe/js";
import { newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

onEachEngine("API keys and data vault", (server) => {
  const common = () => ({
    baseUrl: server.base_url,
    projectId: server.project_id,
    publishableClientKey: server.publishable_client_key,
    tokenStore: "memory",
  });
  const newServerApp = () => new StackServerApp({ ...common(), secretServerKey: server.secret_server_key });

  async function administer(path, body) {
    const answer = await fetch(`${server.base_url}/api/v1${path}`, {
      method: "PATCH",
      headers: {
        "content-type": "application/json",
        "x-stack-access-type": "admin",
        "x-stack-project-id": server.project_id,
        "x-stack-super-secret-admin-key": server.super_secret_admin_key,
      },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  before(async () => {
    const config = { allow_user_api_keys: true, allow_team_api_keys: true, client_team_creation_enabled: true };
    await administer("/internal/projects/current", { config });
    const stores = JSON.stringify({ "dataVault.stores.secrets": { displayName: "Secrets" } });
    await administer("/internal/config/override/environment", { config_override_string: stores });
  });

  async function signedUp() {
    const app = new StackClientApp(common());
    const result = await app.signUpWithCredential({ email: newEmail(), password: PASSWORD, noVerificationCallback: true });
    assert.equal(result.status, "ok");
    return app.getUser();
  }

  test("a user makes, lists, renames and revokes a key", async () => {
    const user = await signedUp();
    const key = await user.createApiKey({ description: "laptop", expiresAt: null });
    assert.match(key.value, /^sk_[0-9a-z]{45}[0-9a-f]{32}user1574ck4u7h[0-9a-f]{8}$/);
    assert.equal(key.isValid(), true);
    const [listed] = await user.listApiKeys();
    assert.equal(listed.id, key.id);
    assert.equal(listed.value.lastFour, key.value.slice(-4));
    await listed.update({ description: "desktop" });
    assert.equal((await user.listApiKeys())[0].description, "desktop");
    await (await user.listApiKeys())[0].revoke();
    const [revoked] = await user.listApiKeys();
    assert.equal(revoked.whyInvalid(), "manually-revoked");
  });

  test("a server finds the user of a key, and nobody for a key that is not valid", async () => {
    const user = await signedUp();
    const key = await user.createApiKey({ description: "script", expiresAt: null });
    const expired = await user.createApiKey({ description: "old", expiresAt: new Date(Date.now() - 1000) });
    const app = newServerApp();
    assert.equal((await app.getUser({ apiKey: key.value })).id, user.id);
    assert.equal(await app.getUser({ apiKey: expired.value }), null);
    assert.equal(await app.getUser({ apiKey: "sk_unknown" }), null);
    const [, listed] = await user.listApiKeys();
    await listed.revoke();
    assert.equal(await newServerApp().getUser({ apiKey: key.value }), null);
  });

  test("a team's key leads to the team", async () => {
    const user = await signedUp();
    const team = await user.createTeam({ displayName: "Engines" });
    const key = await team.createApiKey({ description: "pipeline", expiresAt: null, isPublic: false });
    assert.match(key.value, /^sk_[0-9a-z]{45}[0-9a-f]{32}team1574ck4u7h[0-9a-f]{8}$/);
    const [listed] = await team.listApiKeys();
    assert.equal(listed.teamId, team.id);
    assert.equal((await newServerApp().getTeam({ apiKey: key.value })).id, team.id);
    assert.equal(await newServerApp().getUser({ apiKey: key.value }), null);
  });

  test("the data vault gives back what was put in, to those who know the secret", async () => {
    const store = await newServerApp().getDataVaultStore("secrets");
    assert.equal(await store.getValue("token", { secret: "s3cret" }), null);
    await store.setValue("token", "a value of mine", { secret: "s3cret" });
    assert.equal(await store.getValue("token", { secret: "s3cret" }), "a value of mine");
    const again = await newServerApp().getDataVaultStore("secrets");
    assert.equal(await again.getValue("token", { secret: "another" }), null);
  });
});
