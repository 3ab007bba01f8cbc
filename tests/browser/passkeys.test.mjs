// Passkeys in a real browser: once as a page of one's own does it with @simplewebauthn/browser, once with the
// published @stackframe/js, unmodified.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newEmail, onEachEngine, PASSWORD } from "../compat/js/harness.mjs";
import { openApp, openPage, servePage, startBrowser } from "./browser.mjs";

onEachEngine("passkeys in a browser", (server) => {
  const undo = [];
  let context;
  let port;

  before(async () => {
    port = await servePage(undo);
    context = await startBrowser(undo);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  const origin = (host = "localhost") => `http://${host}:${port}`;

  async function call(method, path, { body, token, admin } = {}) {
    const answer = await fetch(`${server.base_url}/api/v1${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        "x-stack-project-id": server.project_id,
        "x-stack-access-type": admin ? "admin" : "client",
        ...(admin ? { "x-stack-super-secret-admin-key": server.super_secret_admin_key } : { "x-stack-publishable-client-key": server.publishable_client_key }),
        ...(token ? { "x-stack-access-token": token } : {}),
      },
      body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    });
    return { status: answer.status, code: answer.headers.get("x-stack-known-error"), body: await answer.json() };
  }

  const newUser = async () => {
    const signedUp = await call("POST", "/auth/password/sign-up", { body: { email: newEmail(), password: PASSWORD } });
    assert.equal(signedUp.status, 200);
    return signedUp.body;
  };

  /** What a page does to register; `rpId` takes the place of the placeholder. */
  async function register(page, token, { rpId = "localhost", change = (options) => options } = {}) {
    const begun = await call("POST", "/auth/passkey/initiate-passkey-registration", { token });
    const options = change({ ...begun.body.options_json, rp: { ...begun.body.options_json.rp, id: rpId } });
    const credential = await page.evaluate((optionsJSON) => window.tested.startRegistration({ optionsJSON }), options);
    return call("POST", "/auth/passkey/register", { token, body: { credential, code: begun.body.code } });
  }

  /** What a page does to sign in; `changes` are to the options. */
  async function signIn(page, changes = {}) {
    const begun = await call("POST", "/auth/passkey/initiate-passkey-authentication");
    const options = { ...begun.body.options_json, rpId: "localhost", ...changes };
    const response = await page.evaluate((optionsJSON) => window.tested.startAuthentication({ optionsJSON }), options);
    return call("POST", "/auth/passkey/sign-in", { body: { authentication_response: response, code: begun.body.code } });
  }

  for (const alg of [-7, -8, -257]) {
    test(`a page registers a passkey with algorithm ${alg} and signs in with it`, async () => {
      const user = await newUser();
      const { page, credentials } = await openPage(context, origin());
      const change = (options) => ({ ...options, pubKeyCredParams: options.pubKeyCredParams.filter((one) => one.alg === alg) });
      const registered = await register(page, user.access_token, { change });
      assert.equal(registered.status, 200, JSON.stringify(registered.body));
      const [credential] = await credentials();
      assert.equal(credential.isResidentCredential, true);
      assert.equal(Buffer.from(credential.userHandle, "base64").toString(), user.user_id);
      assert.deepEqual(Buffer.from(credential.credentialId, "base64"), Buffer.from(registered.body.user_handle, "base64url"));
      for (const _ of [1, 2]) {
        const signedIn = await signIn(page);
        assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body));
        assert.deepEqual([signedIn.body.user_id, signedIn.body.is_new_user], [user.user_id, false]);
      }
      await page.close();
    });
  }

  test("a browser takes the algorithm that is offered first among those that it knows", async () => {
    const user = await newUser();
    const { page } = await openPage(context, origin());
    assert.equal((await register(page, user.access_token)).status, 200);
    assert.equal((await signIn(page)).status, 200);
    await page.close();
  });

  test("a touch without PIN or biometric leaves the second factor to be asked for", async () => {
    const user = await newUser();
    const { page, devtools, authenticatorId } = await openPage(context, origin());
    assert.equal((await register(page, user.access_token)).status, 200);
    const totp = { totp_secret_base64: "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" };
    assert.equal((await call("PATCH", "/users/me", { token: user.access_token, body: totp })).status, 200);
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    assert.equal((await signIn(page, { userVerification: "discouraged" })).code, "MULTI_FACTOR_AUTHENTICATION_REQUIRED");
    await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    assert.equal((await signIn(page)).status, 200);
    await page.close();
  });

  test("a copied authenticator is noticed by its counter", async () => {
    const user = await newUser();
    const { page, devtools, authenticatorId, credentials } = await openPage(context, origin());
    assert.equal((await register(page, user.access_token)).status, 200);
    const [copy] = await credentials();
    for (const _ of [1, 2]) assert.equal((await signIn(page)).status, 200);
    await devtools.send("WebAuthn.clearCredentials", { authenticatorId });
    await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { ...copy, rpId: "localhost" } });
    assert.equal((await signIn(page)).code, "PASSKEY_AUTHENTICATION_FAILED");
    await page.close();
  });

  test("a page on a host that is not trusted is refused", async () => {
    const user = await newUser();
    const closed = { config_override_string: JSON.stringify({ "domains.allowLocalhost": false }) };
    const path = "/internal/config/override/environment";
    const open = { config_override_string: JSON.stringify({ "domains.allowLocalhost": true }) };
    const set = async (body) => assert.equal((await call("PATCH", path, { admin: true, body })).status, 200);
    const { page } = await openPage(context, origin());
    assert.equal((await register(page, user.access_token)).status, 200);
    await set(closed);
    try {
      assert.equal((await signIn(page)).code, "PASSKEY_AUTHENTICATION_FAILED");
      await set(open);
      assert.equal((await signIn(page)).status, 200);
      await set(closed);
      // Last, since the authenticator keeps the new key in place of the old one, whatever the server says.
      assert.equal((await register(page, user.access_token)).code, "PASSKEY_REGISTRATION_FAILED");
    } finally {
      await set(open);
    }
    await page.close();
  });

  test("@stackframe/js registers a passkey, signs out and signs in with it", async () => {
    const { page, credentials } = await openPage(context, origin());
    const email = newEmail();
    const urls = { afterSignIn: "/welcome", afterSignUp: "/welcome", afterSignOut: "/bye" };
    const app = (page) => openApp(page, server, { urls });
    let stack = await app(page);
    const signUp = (app, [email, password]) =>
      app.signUpWithCredential({ email, password, noVerificationCallback: true, noRedirect: true });
    assert.equal((await stack.evaluate(signUp, [email, PASSWORD])).status, "ok");
    const registered = await stack.evaluate(async (app) => (await app.getUser()).registerPasskey());
    assert.equal(registered.status, "ok");
    assert.equal(await stack.evaluate(async (app) => (await app.getUser()).passkeyAuthEnabled), true);
    assert.equal((await credentials()).length, 1);
    await Promise.all([page.waitForURL("**/bye"), stack.evaluate((app) => app.signOut()).catch(() => {})]);
    stack = await app(page);
    assert.equal(await stack.evaluate((app) => app.getUser()), null);
    // The page goes on to /welcome while the call is still on its way.
    await Promise.all([page.waitForURL("**/welcome"), stack.evaluate((app) => app.signInWithPasskey()).catch(() => {})]);
    stack = await app(page);
    assert.equal(await stack.evaluate(async (app) => (await app.getUser()).primaryEmail), email);
    await stack.evaluate(async (app) => (await app.getUser()).update({ passkeyAuthEnabled: false }));
    assert.equal(await stack.evaluate(async (app) => (await app.getUser()).passkeyAuthEnabled), false);
    const refused = await stack.evaluate(async (app) => {
      const result = await app.signInWithPasskey();
      return [result.status, result.error?.errorCode];
    });
    assert.deepEqual(refused, ["error", "PASSKEY_AUTHENTICATION_FAILED"]);
    await page.close();
  });
});
