// Teams, members, invitations and permissions, by the published client, server and admin apps, unmodified.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { StackAdminApp, StackClientApp, StackServerApp } from "@stackframe/js";
import { mailsTo, newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

const idsOf = (list) => list.map(({ id }) => id).sort();

onEachEngine("teams", (server) => {
  const common = () => ({
    baseUrl: server.base_url,
    projectId: server.project_id,
    publishableClientKey: server.publishable_client_key,
    tokenStore: "memory",
  });
  const newServerApp = () => new StackServerApp({ ...common(), secretServerKey: server.secret_server_key });
  const newAdminApp = () =>
    new StackAdminApp({
      ...common(),
      secretServerKey: server.secret_server_key,
      superSecretAdminKey: server.super_secret_admin_key,
    });

  // Users of a new project do not create teams themselves.
  before(async () => {
    const answer = await fetch(`${server.base_url}/api/v1/internal/projects/current`, {
      method: "PATCH",
      headers: {
        "content-type": "application/json",
        "x-stack-access-type": "admin",
        "x-stack-project-id": server.project_id,
        "x-stack-super-secret-admin-key": server.super_secret_admin_key,
      },
      body: JSON.stringify({ config: { client_team_creation_enabled: true } }),
    });
    assert.equal(answer.status, 200, await answer.text());
  });

  async function signedUp(email = newEmail()) {
    const app = new StackClientApp(common());
    const result = await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    assert.equal(result.status, "ok");
    return { app, email, user: await app.getUser() };
  }

  async function codeFor(email) {
    const mails = await mailsTo(server, email);
    return /[?&]code=([0-9a-z]{45})/.exec(mails[0].text)[1];
  }

  test("a user creates, lists, changes and deletes a team", async () => {
    const { app, user } = await signedUp();
    assert.deepEqual(await user.listTeams(), []);
    const team = await user.createTeam({ displayName: "Engines" });
    assert.equal(team.displayName, "Engines");
    assert.equal((await app.getUser()).selectedTeam.id, team.id);
    await team.update({ displayName: "Motors", clientMetadata: { a: [1, null] } });
    const seen = await (await app.getUser()).getTeam(team.id);
    assert.equal(seen.displayName, "Motors");
    assert.deepEqual(seen.clientMetadata, { a: [1, null] });
    await seen.delete();
    const again = await app.getUser();
    assert.deepEqual(await again.listTeams(), []);
    assert.equal(await again.getTeam(team.id), null);
  });

  test("a user selects a team and leaves it", async () => {
    const { app, user } = await signedUp();
    const team = await newServerApp().createTeam({ displayName: "Engines" });
    await team.addUser(user.id);
    const mine = await user.getTeam(team.id);
    await user.setSelectedTeam(mine);
    assert.equal((await app.getUser()).selectedTeam.id, team.id);
    await user.leaveTeam(mine);
    const elsewhere = new StackClientApp({ ...common(), tokenStore: await user.getAuthJson() });
    const now = await elsewhere.getUser();
    assert.equal(now.selectedTeam, null);
    assert.deepEqual(await now.listTeams(), []);
  });

  test("a creator has all permissions of the team, a member two", async () => {
    const { user: ada } = await signedUp();
    const { user: bo } = await signedUp();
    const team = await ada.createTeam({ displayName: "Engines" });
    await (await newServerApp().getTeam(team.id)).addUser(bo.id);
    assert.deepEqual(idsOf(await ada.listPermissions(team, { recursive: false })), ["team_admin"]);
    assert.equal((await ada.listPermissions(team)).length, 7);
    assert.equal(await ada.hasPermission(team, "$delete_team"), true);
    const seenByBo = await bo.getTeam(team.id);
    assert.deepEqual(idsOf(await bo.listPermissions(seenByBo)), ["$invite_members", "$read_members", "team_member"]);
    assert.equal(await bo.hasPermission(seenByBo, "$delete_team"), false);
    assert.equal((await bo.getPermission(seenByBo, "$read_members")).id, "$read_members");
  });

  test("members see each other by their profiles in the team", async () => {
    const { user: ada } = await signedUp();
    const { user: bo } = await signedUp();
    await ada.update({ displayName: "Ada" });
    const team = await ada.createTeam({ displayName: "Engines" });
    await (await newServerApp().getTeam(team.id)).addUser(bo.id);
    const profile = await ada.getTeamProfile(team);
    assert.equal(profile.displayName, "Ada");
    await profile.update({ displayName: "Countess" });
    const members = await (await bo.getTeam(team.id)).listUsers();
    assert.deepEqual(members.map((member) => [member.id, member.teamProfile.displayName]), [
      [ada.id, "Countess"],
      [bo.id, null],
    ]);
  });

  test("an invitation is sent, listed, looked at and accepted by its code", async () => {
    const { user: ada } = await signedUp();
    const team = await ada.createTeam({ displayName: "Engines" });
    const email = newEmail();
    await team.inviteUser({ email, callbackUrl: "http://localhost:3000/handler/team-invitation" });
    const [open] = await team.listInvitations();
    assert.equal(open.recipientEmail, email);
    assert.ok(open.expiresAt > new Date());
    const code = await codeFor(email);
    const { app, user } = await signedUp();
    assert.equal((await app.verifyTeamInvitationCode(code)).status, "ok");
    assert.deepEqual(await app.getTeamInvitationDetails(code), { status: "ok", data: { teamDisplayName: "Engines" } });
    assert.equal((await app.acceptTeamInvitation(code)).status, "ok");
    assert.deepEqual(idsOf(await user.listTeams()), [team.id]);
    const again = await app.acceptTeamInvitation(code);
    assert.equal(again.status, "error");
    assert.equal(again.error.errorCode, "VERIFICATION_CODE_ALREADY_USED");
    const unknown = await app.verifyTeamInvitationCode("0".repeat(45));
    assert.equal(unknown.error.errorCode, "VERIFICATION_CODE_NOT_FOUND");
  });

  test("an invitation is taken back", async () => {
    const { user: ada } = await signedUp();
    const team = await ada.createTeam({ displayName: "Engines" });
    const email = newEmail();
    await team.inviteUser({ email, callbackUrl: "http://localhost:3000/" });
    const code = await codeFor(email);
    await (await team.listInvitations())[0].revoke();
    assert.deepEqual(await team.listInvitations(), []);
    const { app } = await signedUp();
    assert.equal((await app.acceptTeamInvitation(code)).error.errorCode, "VERIFICATION_CODE_NOT_FOUND");
  });

  test("a user finds invitations to a verified address and accepts one", async () => {
    const app = newServerApp();
    const team = await app.createTeam({ displayName: "Engines" });
    const { app: client, user, email } = await signedUp();
    await (await app.getUser(user.id)).update({ primaryEmailVerified: true });
    await team.inviteUser({ email, callbackUrl: "http://localhost:3000/" });
    const [invitation] = await user.listTeamInvitations();
    assert.equal(invitation.teamDisplayName, "Engines");
    await invitation.accept();
    assert.deepEqual(idsOf(await (await client.getUser()).listTeams()), [team.id]);
    assert.deepEqual(await user.listTeamInvitations(), []);
  });

  test("a server creates, changes, finds and deletes teams", async () => {
    const app = newServerApp();
    const made = await app.createTeam({ displayName: "Engines", profileImageUrl: "https://example.com/a.png" });
    await made.update({ displayName: "Motors", serverMetadata: { plan: "team" }, clientReadOnlyMetadata: 1 });
    const seen = await newServerApp().getTeam(made.id);
    assert.equal(seen.displayName, "Motors");
    assert.equal(seen.profileImageUrl, "https://example.com/a.png");
    assert.deepEqual([seen.serverMetadata, seen.clientReadOnlyMetadata], [{ plan: "team" }, 1]);
    assert.ok(Math.abs(Date.now() - seen.createdAt) < 60_000);
    await seen.delete();
    assert.equal(await newServerApp().getTeam(made.id), null);
  });

  test("a server lists teams by pages and by name", async () => {
    const app = newServerApp();
    const name = `pages ${Math.random()}`;
    const made = [];
    for (let number = 0; number < 5; number++) made.push((await app.createTeam({ displayName: `${name} ${number}` })).id);
    const seen = [];
    let page = await app.listTeams({ query: name, limit: 2, orderBy: "createdAt" });
    for (;;) {
      assert.ok(page.length <= 2);
      seen.push(...page.map(({ id }) => id));
      if (page.nextCursor === null) break;
      page = await app.listTeams({ query: name, limit: 2, orderBy: "createdAt", cursor: page.nextCursor });
    }
    assert.deepEqual(seen.toSorted(), made.toSorted());
    const backwards = await app.listTeams({ query: name, desc: true });
    assert.deepEqual(backwards.map(({ id }) => id), seen.toReversed());
  });

  test("a server adds, lists and removes members", async () => {
    const app = newServerApp();
    const team = await app.createTeam({ displayName: "Engines" });
    const user = await app.createUser({ displayName: "Joan" });
    await team.addUser(user.id);
    const [member] = await team.listUsers();
    assert.equal(member.id, user.id);
    assert.equal(member.teamProfile.displayName, "Joan");
    assert.deepEqual(idsOf(await user.listTeams()), [team.id]);
    await team.removeUser(user.id);
    assert.deepEqual(await team.listUsers(), []);
  });

  test("a server gives permissions and takes them away", async () => {
    const app = newServerApp();
    const team = await app.createTeam({ displayName: "Engines" });
    const user = await app.createUser({});
    await team.addUser(user.id);
    await user.grantPermission(team, "$update_team");
    assert.equal(await user.hasPermission(team, "$update_team"), true);
    assert.deepEqual(idsOf(await user.listPermissions(team, { recursive: false })), ["$update_team", "team_member"]);
    await user.revokePermission(team, "$update_team");
    assert.equal(await user.hasPermission(team, "$update_team"), false);
    const all = await app.listTeamMemberPermissions(team.id);
    assert.deepEqual(all, [{ userId: user.id, permissionId: "team_member" }]);
  });

  test("an administrator defines permissions, and users hold them in the project", async () => {
    const admin = newAdminApp();
    const suffix = Math.random().toString(36).slice(2);
    const [read, write] = [`read_${suffix}`, `write_${suffix}`];
    await admin.createProjectPermissionDefinition({ id: read, description: "See things", containedPermissionIds: [] });
    await admin.createProjectPermissionDefinition({ id: write, containedPermissionIds: [read] });
    const { app, user } = await signedUp();
    const seen = await newServerApp().getUser(user.id);
    await seen.grantPermission(write);
    assert.equal(await (await app.getUser()).hasPermission(read), true);
    assert.deepEqual(idsOf(await seen.listPermissions({ recursive: true })), [read, write]);
    await admin.updateProjectPermissionDefinition(read, { description: "See all", containedPermissionIds: [] });
    const defined = (await admin.listProjectPermissionDefinitions()).filter(({ id }) => id.includes(suffix));
    assert.deepEqual(idsOf(defined), [read, write]);
    assert.equal(defined.find(({ id }) => id === read).description, "See all");
    assert.deepEqual(defined.find(({ id }) => id === write).containedPermissionIds, [read]);
    await admin.deleteProjectPermissionDefinition(write);
    assert.deepEqual(await (await newServerApp().getUser(user.id)).listPermissions({ recursive: true }), []);
    await admin.createTeamPermissionDefinition({ id: `lead_${suffix}`, containedPermissionIds: ["team_member", "$update_team"] });
    const lead = (await admin.listTeamPermissionDefinitions()).find(({ id }) => id === `lead_${suffix}`);
    assert.deepEqual(lead.containedPermissionIds, ["$update_team", "team_member"]);
  });
});
