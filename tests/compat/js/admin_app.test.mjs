// The published admin app, unmodified: what a dashboard and deployment tools do with Latchkey.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StackAdminApp, StackClientApp, StackServerApp } from "@stackframe/js";
import { newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

onEachEngine("admin app", (server) => {
  const common = () => ({ baseUrl: server.base_url, projectId: server.project_id, tokenStore: "memory" });
  const newAdminApp = (options = {}) =>
    new StackAdminApp({
      ...common(),
      publishableClientKey: server.publishable_client_key,
      secretServerKey: server.secret_server_key,
      superSecretAdminKey: server.super_secret_admin_key,
      ...options,
    });
  const newClientApp = () => new StackClientApp({ ...common(), publishableClientKey: server.publishable_client_key });

  test("clients and servers read the project", async () => {
    for (const app of [newClientApp(), new StackServerApp({ ...common(), secretServerKey: server.secret_server_key })]) {
      const project = await app.getProject();
      assert.equal(project.id, server.project_id);
      assert.equal(project.displayName, "Development");
      assert.equal(project.config.credentialEnabled, true);
      assert.deepEqual(project.config.oauthProviders, []);
    }
  });

  test("the project is read and changed", async () => {
    const app = newAdminApp();
    const project = await app.getProject();
    assert.equal(project.onboardingStatus, "completed");
    assert.equal(project.config.allowLocalhost, true);
    assert.deepEqual(project.config.emailConfig, { type: "shared" });
    await project.update({
      displayName: "Harbour",
      description: "Ships",
      config: {
        magicLinkEnabled: true,
        domains: [{ domain: "https://**.example.com", handlerPath: "/handler" }],
        oauthProviders: [
          { id: "google", type: "shared" },
          { id: "github", type: "standard", clientId: "id", clientSecret: "secret" },
        ],
        emailConfig: {
          type: "standard", host: "smtp.example.com", port: 587, username: "u", password: "p",
          senderName: "Harbour", senderEmail: "post@example.com",
        },
      },
    });
    const changed = await newAdminApp().getProject();
    assert.equal(changed.displayName, "Harbour");
    assert.equal(changed.config.magicLinkEnabled, true);
    assert.deepEqual(changed.config.domains, [{ domain: "https://**.example.com", handlerPath: "/handler" }]);
    assert.deepEqual(changed.config.oauthProviders.map(({ id, type }) => [id, type]), [["github", "standard"], ["google", "shared"]]);
    assert.equal(changed.config.emailConfig.password, "p");
    const seen = await newClientApp().getProject();
    assert.deepEqual(seen.config.oauthProviders.map(({ id }) => id), ["github", "google"]);
    await changed.update({ displayName: "Development", config: { oauthProviders: [], domains: [], emailConfig: { type: "shared" }, magicLinkEnabled: false } });
  });

  test("the configuration is rendered, overridden, pushed and reset", async () => {
    const project = await newAdminApp().getProject();
    assert.equal((await project.getConfig()).auth.allowSignUp, true);
    await project.updateConfig({ "teams.allowClientTeamCreation": true });
    assert.equal((await project.getConfig()).teams.allowClientTeamCreation, true);
    assert.equal((await project.getConfigOverride("environment"))["teams.allowClientTeamCreation"], true);
    const source = {
      type: "pushed-from-github", owner: "acme", repo: "app", branch: "main", commitHash: "abc",
      configFilePath: "stack.config.ts", workflowPath: ".github/workflows/push.yml",
    };
    await project.pushConfig({ "users.allowClientUserDeletion": true }, { source });
    assert.deepEqual(await project.getPushedConfigSource(), source);
    await project.updatePushedConfig({ "auth.passkey.allowSignIn": true });
    const config = await project.getConfig();
    assert.equal(config.users.allowClientUserDeletion && config.auth.passkey.allowSignIn, true);
    await project.unlinkPushedConfigSource();
    assert.deepEqual(await project.getPushedConfigSource(), { type: "unlinked" });
    await project.resetConfigOverrideKeys("branch", ["users", "auth.passkey"]);
    assert.deepEqual(await project.getConfigOverride("branch"), {});
    await project.resetConfigOverrideKeys("environment", ["teams"]);
    assert.equal((await project.getConfig()).teams.allowClientTeamCreation, false);
  });

  test("a project can require publishable keys", async () => {
    const project = await newAdminApp().getProject();
    await project.update({ requirePublishableClientKey: true });
    const bare = new StackClientApp({ ...common() });
    await assert.rejects(bare.getProject());
    assert.equal((await newClientApp().getProject()).id, server.project_id);
    await project.update({ requirePublishableClientKey: false });
    assert.equal((await new StackClientApp({ ...common() }).getProject()).id, server.project_id);
  });

  test("keys are made, listed and revoked", async () => {
    const app = newAdminApp();
    const made = await app.createInternalApiKey({
      description: "back end", expiresAt: new Date(Date.now() + 3_600_000),
      hasPublishableClientKey: true, hasSecretServerKey: true, hasSuperSecretAdminKey: false,
    });
    assert.match(made.secretServerKey, /^ssk_[0-9a-hjkmnp-tv-z]{45}$/);
    assert.equal(made.superSecretAdminKey, undefined);
    const back = () => new StackServerApp({ ...common(), secretServerKey: made.secretServerKey });
    assert.ok((await back().createUser({ primaryEmail: newEmail() })).id);
    const listed = (await app.listInternalApiKeys()).find((key) => key.id === made.id);
    assert.deepEqual(listed.secretServerKey, { lastFour: made.secretServerKey.slice(-4) });
    assert.equal(listed.isValid(), true);
    await listed.revoke();
    const revoked = (await newAdminApp().listInternalApiKeys()).find((key) => key.id === made.id);
    assert.equal(revoked.whyInvalid(), "manually-revoked");
    await assert.rejects(back().listUsers());
  });

  test("themes and templates of mails are listed", async () => {
    const app = newAdminApp();
    const themes = await app.listEmailThemes();
    assert.deepEqual(themes.map(({ id }) => id)[0], "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac");
    assert.equal((await app.listEmailTemplates()).length, 5);
  });

  test("a person of internal makes a project, administers it and deletes it", async () => {
    const people = new StackClientApp({ baseUrl: server.base_url, projectId: "internal", tokenStore: "memory" });
    await people.signUpWithCredential({ email: newEmail(), password: PASSWORD, noVerificationCallback: true });
    const user = await people.getUser();
    const team = await user.createTeam({ displayName: "Owners" });
    const project = await user.createProject({ displayName: "Mine", teamId: team.id });
    assert.deepEqual((await user.listOwnedProjects()).map(({ id }) => id), [project.id]);
    await project.update({ config: { credentialEnabled: false } });
    assert.equal((await project.app.getProject()).config.credentialEnabled, false);
    await project.delete();
    assert.deepEqual(await (await people.getUser({ or: "throw" })).listOwnedProjects().then((all) => all.filter(({ id }) => id === project.id)), []);
  });
});
