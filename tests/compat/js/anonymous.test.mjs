// Visitors as the published client app treats them: anonymous users who may sign up later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientApp } from "./apps.mjs";
import { newEmail, onEachEngine, PASSWORD, requestsOf } from "./harness.mjs";

onEachEngine("anonymous users", (server) => {
  const newApp = (options) => clientApp(server, options);

  test("a visitor gets a user when the app asks for one", async () => {
    const app = newApp();
    let user;
    const requests = await requestsOf(async () => (user = await app.getUser({ or: "anonymous" })));
    assert.ok(requests.some(({ path, status }) => path === "/api/v1/auth/anonymous/sign-up" && status === 200));
    assert.deepEqual([user.isAnonymous, user.isRestricted, user.primaryEmail], [true, true, null]);
    assert.equal((await app.getUser({ or: "anonymous" })).id, user.id, "the same one from then on");
    assert.equal(await app.getUser(), null, "anonymous users count as absent unless asked for");
  });

  test("asking twice at once makes one user", async () => {
    const app = newApp();
    const [one, two] = await Promise.all([app.getUser({ or: "anonymous" }), app.getUser({ or: "anonymous" })]);
    assert.equal(one.id, two.id);
  });

  test("an anonymous user keeps data of their own", async () => {
    const app = newApp();
    await (await app.getUser({ or: "anonymous" })).update({ clientMetadata: { cart: [1, 2] } });
    assert.deepEqual((await app.getUser({ or: "anonymous" })).clientMetadata, { cart: [1, 2] });
  });

  test("signing up keeps the user and what belongs to them", async () => {
    const app = newApp();
    const visitor = await app.getUser({ or: "anonymous" });
    await visitor.update({ clientMetadata: { cart: [3] } });
    const before = await visitor.getAuthJson();
    const email = newEmail();
    const result = await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    assert.equal(result.status, "ok");
    const user = await app.getUser();
    assert.equal(user.id, visitor.id);
    assert.deepEqual([user.isAnonymous, user.isRestricted, user.primaryEmail], [false, false, email]);
    assert.deepEqual(user.clientMetadata, { cart: [3] });
    const elsewhere = newApp({ tokenStore: { accessToken: "", refreshToken: before.refreshToken } });
    assert.equal((await elsewhere.getUser()).primaryEmail, email, "the session from before lives on");
  });

  test("a taken address leaves the visitor anonymous", async () => {
    const email = newEmail();
    const other = newApp();
    await other.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    const app = newApp();
    const visitor = await app.getUser({ or: "anonymous" });
    const result = await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    assert.equal(result.error.errorCode, "USER_EMAIL_ALREADY_EXISTS");
    assert.equal((await app.getUser({ or: "anonymous" })).id, visitor.id);
  });
});
