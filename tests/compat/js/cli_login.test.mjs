// Signing in a command-line program, with the published client app on both sides and with the built-in page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientApp } from "./apps.mjs";
import { newEmail, onEachEngine, PASSWORD } from "./harness.mjs";

onEachEngine("command-line sign-in", (server) => {
  const newApp = (options) => clientApp(server, options);

  const call = (path, body) =>
    fetch(`${server.base_url}/api/v1${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-stack-access-type": "client",
        "x-stack-project-id": server.project_id,
        "x-stack-publishable-client-key": server.publishable_client_key,
      },
      body: JSON.stringify(body),
    });

  async function signedUp(email = newEmail()) {
    const app = newApp();
    await app.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true });
    return app;
  }

  /** Starts a sign-in; `answer` gets the link and the code that a person would see. */
  async function prompted(answer, options = {}) {
    let answered;
    const page = `/projects/${server.project_id}/handler/cli-auth-confirm`;
    const result = await newApp({ urls: { cliAuthConfirm: page } }).promptCliLogin({
      appUrl: server.base_url,
      waitTimeMillis: 20,
      promptLink: (url, code) => (answered = answer(url, code)),
      ...options,
    });
    await answered;
    return result;
  }

  test("a program gets the session that a browser gives it", async () => {
    const user = await (await signedUp()).getUser();
    const { refreshToken } = await user.getAuthJson();
    const result = await prompted((url, login_code) => call("/auth/cli/complete", { login_code, refresh_token: refreshToken }));
    assert.equal(result.status, "ok");
    const program = newApp({ tokenStore: { accessToken: "", refreshToken: result.data } });
    assert.equal((await program.getUser()).id, user.id);
  });

  test("an attempt that nobody answers expires as a typed error", async () => {
    const result = await prompted(() => {}, { expiresInMillis: 60 });
    assert.equal(result.error.errorCode, "CLI_AUTH_EXPIRED_ERROR");
  });

  test("a program with an anonymous user can be signed up in the browser", async () => {
    const visitor = await newApp().getUser({ or: "anonymous" });
    const { refreshToken } = await visitor.getAuthJson();
    const email = newEmail();
    const result = await prompted(
      async (url, login_code) => {
        const tokens = await (await call("/auth/cli/complete", { login_code, mode: "claim-anon-session" })).json();
        const browser = newApp({ tokenStore: { accessToken: tokens.access_token, refreshToken: tokens.refresh_token } });
        await browser.signUpWithCredential({ email, password: PASSWORD, noVerificationCallback: true, noRedirect: true });
        const own = await (await browser.getUser()).getAuthJson();
        await call("/auth/cli/complete", { login_code, refresh_token: own.refreshToken });
      },
      { anonRefreshToken: refreshToken },
    );
    const program = newApp({ tokenStore: { accessToken: "", refreshToken: result.data } });
    const user = await program.getUser();
    assert.deepEqual([user.id, user.primaryEmail], [visitor.id, email]);
  });

  test("the link that the SDK builds leads to the built-in page, which works without scripts", async () => {
    const email = newEmail();
    const user = await (await signedUp(email)).getUser();
    const result = await prompted(async (url) => {
      const own = new URL(url);
      assert.equal(own.pathname, `/projects/${server.project_id}/handler/cli-auth-confirm`);
      assert.match(await (await fetch(url)).text(), /type="password"/);
      const press = (fields, cookie = "") =>
        fetch(url, {
          method: "POST",
          redirect: "manual",
          headers: { "content-type": "application/x-www-form-urlencoded", origin: own.origin, cookie },
          body: new URLSearchParams(fields).toString(),
        });
      const signedIn = await press({ action: "sign-in", email, password: PASSWORD });
      assert.equal(signedIn.status, 303);
      const cookie = signedIn.headers.get("set-cookie").split(";")[0];
      assert.equal((await press({ action: "confirm" }, cookie)).status, 200);
    });
    const program = newApp({ tokenStore: { accessToken: "", refreshToken: result.data } });
    assert.equal((await program.getUser()).id, user.id);
  });
});
