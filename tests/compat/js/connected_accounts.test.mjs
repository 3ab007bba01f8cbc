// Accounts at OAuth providers for use by the application, by the published client and server apps. The way through the
// provider is what a browser would do; `dev` brings the provider.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { before, test } from "node:test";
import { StackClientApp, StackServerApp } from "@stackframe/js";
import { newEmail, onEachEngine, PASSWORD, requestsOf } from "./harness.mjs";

const REDIRECT = "http://localhost:3000/handler/oauth-callback";

/** Goes to the provider and comes back as `subject`; the tokens of the session. */
async function throughProvider(server, subject, extra = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const asked = new URLSearchParams({
    client_id: server.project_id,
    client_secret: server.publishable_client_key,
    redirect_uri: REDIRECT,
    scope: "legacy",
    state: "s",
    grant_type: "authorization_code",
    response_type: "code",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...extra,
  });
  const manual = { redirect: "manual" };
  const begun = await fetch(`${server.base_url}/api/v1/auth/oauth/authorize/google?${asked}`, manual);
  assert.equal(begun.status, 307, await begun.text());
  const page = new URL(begun.headers.get("location"));
  const choice = new URLSearchParams([...page.searchParams, ["sub", subject]]);
  const chosen = await fetch(page.origin + page.pathname, { ...manual, method: "POST", body: choice });
  const cookie = begun.headers.get("set-cookie").split(";")[0];
  const back = await fetch(chosen.headers.get("location"), { ...manual, headers: { cookie } });
  const code = new URL(back.headers.get("location")).searchParams.get("code");
  assert.ok(code, back.headers.get("location"));
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: server.project_id,
    client_secret: server.publishable_client_key,
    redirect_uri: REDIRECT,
    code,
    code_verifier: verifier,
  });
  const answer = await fetch(`${server.base_url}/api/v1/auth/oauth/token`, { method: "POST", body });
  const { access_token: accessToken, refresh_token: refreshToken } = await answer.json();
  return { accessToken, refreshToken };
}

onEachEngine("connected accounts", (server) => {
  const options = () => ({
    baseUrl: server.base_url,
    projectId: server.project_id,
    publishableClientKey: server.publishable_client_key,
  });
  const clientApp = (tokenStore) => new StackClientApp({ ...options(), tokenStore });
  const serverApp = () => new StackServerApp({ ...options(), secretServerKey: server.secret_server_key, tokenStore: "memory" });

  /** Whose token it is, by the provider. */
  async function ownerOf(accessToken) {
    const answer = await fetch(`${server.mock_oauth_url}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
    return (await answer.json()).sub;
  }

  before(async () => {
    const answer = await fetch(`${server.base_url}/api/v1/internal/projects/current`, {
      method: "PATCH",
      headers: {
        "content-type": "application/json",
        "x-stack-access-type": "admin",
        "x-stack-project-id": server.project_id,
        "x-stack-super-secret-admin-key": server.super_secret_admin_key,
      },
      body: JSON.stringify({ config: { oauth_providers: [{ id: "google", type: "shared" }] } }),
    });
    assert.equal(answer.status, 200, await answer.text());
  });

  test("a user's accounts are listed and give tokens that the provider accepts", async () => {
    const email = newEmail();
    const user = await clientApp(await throughProvider(server, email)).getUser();
    let accounts, result;
    const requests = await requestsOf(async () => {
      accounts = await user.listConnectedAccounts();
      result = await accounts[0].getAccessToken();
    });
    assert.deepEqual(accounts.map(({ provider, providerAccountId }) => [provider, providerAccountId]), [["google", email]]);
    assert.equal(result.status, "ok");
    assert.equal(await ownerOf(result.data.accessToken), email);
    assert.deepEqual(requests.map(({ method, path, status }) => [method, path, status]), [
      ["GET", "/api/v1/connected-accounts/me", 200],
      ["POST", `/api/v1/connected-accounts/me/google/${encodeURIComponent(email)}/access-token`, 201],
    ]);
  });

  test("an account is found by its provider and by its id there", async () => {
    const email = newEmail();
    const user = await clientApp(await throughProvider(server, email)).getUser();
    const byProvider = await user.getConnectedAccount("google");
    assert.equal(byProvider.providerAccountId, email);
    assert.equal(await ownerOf((await byProvider.getAccessToken()).accessToken), email);
    const byId = await user.getConnectedAccount({ provider: "google", providerAccountId: email });
    assert.equal((await byId.getAccessToken({ scopes: ["openid"] })).status, "ok");
    assert.equal(await user.getConnectedAccount({ provider: "google", providerAccountId: "nobody" }), null);
    assert.equal((await user.getOrLinkConnectedAccount("google", { scopes: ["openid"] })).providerAccountId, email);
  });

  test("scopes that nobody granted are a typed error", async () => {
    const user = await clientApp(await throughProvider(server, newEmail())).getUser();
    const [account] = await user.listConnectedAccounts();
    const result = await account.getAccessToken({ scopes: ["calendar"] });
    assert.equal(result.status, "error");
    assert.equal(result.error.errorCode, "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE");
    assert.equal(await user.getConnectedAccount("google", { scopes: ["calendar"] }), null);
  });

  test("somebody without accounts has none, and links one", async () => {
    const app = clientApp("memory");
    await app.signUpWithCredential({ email: newEmail(), password: PASSWORD, noVerificationCallback: true });
    const user = await app.getUser();
    assert.deepEqual(await user.listConnectedAccounts(), []);
    assert.equal(await user.getConnectedAccount("google"), null);
    const { accessToken, refreshToken } = await user.getAuthJson();
    const subject = newEmail();
    await throughProvider(server, subject, { type: "link", token: accessToken });
    const again = await clientApp({ accessToken, refreshToken }).getUser();
    const [account] = await again.listConnectedAccounts();
    assert.equal(await ownerOf((await account.getAccessToken()).data.accessToken), subject);
  });

  test("a server asks for the tokens of its users", async () => {
    const email = newEmail();
    const { id } = await clientApp(await throughProvider(server, email)).getUser();
    const user = await serverApp().getUser(id);
    const [account] = await user.listConnectedAccounts();
    const result = await account.getAccessToken({ scopes: ["openid", "offline_access"] });
    assert.equal(await ownerOf(result.data.accessToken), email);
    assert.equal((await (await user.getConnectedAccount("google")).getAccessToken()).accessToken, result.data.accessToken);
  });

  test("an account that the user took away gives nothing", async () => {
    const email = newEmail();
    const user = await clientApp(await throughProvider(server, email)).getUser();
    const [provider] = await user.listOAuthProviders();
    await provider.update({ allowConnectedAccounts: false });
    assert.deepEqual(await user.listConnectedAccounts(), []);
  });
});
