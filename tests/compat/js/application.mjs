// An application that signs people in by plain requests, through an `oidc-provider` that its project has as one of its
// own. Owns the providers that it starts, until `undo` runs.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { configure } from "./harness.mjs";
import { oidcProvider } from "./oidc_provider.mjs";
import { APPLICATION, Visitor } from "./visitor.mjs";

const REDIRECT_URI = `${APPLICATION}/handler/oauth-callback`;
/** With everything that RFC 6749 §2.3.1 wants encoded. */
const SECRET = "a secret/with:signs+%&=";

/** Speaks to a server that `onEachEngine` starts. */
export function application(server, undo) {
  /** A provider with clients of these names, each of which the project has as a provider. */
  async function startProvider({ names = ["harbour", "lighthouse"], alg, lifetime, secret = SECRET, auth, settings } = {}) {
    const clients = names.map((name) => ({
      client_id: `client of ${name}`,
      client_secret: secret,
      redirect_uris: [`${server.base_url}/api/v1/auth/oauth/callback/${name}`],
      ...(auth ? { token_endpoint_auth_method: auth } : {}),
    }));
    const started = await oidcProvider(undo, { clients, alg, lifetime });
    for (const [at, name] of names.entries()) {
      const own = {
        type: "oidc", isShared: false, allowSignIn: true, allowConnectedAccounts: true, trustEmailVerified: true,
        issuer: started.issuer, clientId: clients[at].client_id, clientSecret: SECRET, ...settings,
      };
      await configure(server, { [`auth.oauth.providers.${name}`]: own });
    }
    return started;
  }

  /** The application sends somebody away: where to, and what it keeps. */
  function begin(name, parameters = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
      client_id: server.project_id, client_secret: server.publishable_client_key, redirect_uri: REDIRECT_URI,
      scope: "legacy", state: "of the application", grant_type: "authorization_code", response_type: "code",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
      ...parameters,
    });
    return { verifier, address: `${server.base_url}/api/v1/auth/oauth/authorize/${name}?${query}` };
  }

  /** Signs in at the provider and agrees; ends where the browser ends, or in front of `before`. */
  async function agree(visitor, address, login, before) {
    let page = await visitor.open(address);
    if (page.html.includes('name="login"')) page = await visitor.submit(page, { login, password: "any" });
    if (page.html.includes('value="consent"')) page = await visitor.submit(page, {}, before);
    return page;
  }

  async function redeem(page, verifier) {
    assert.equal(page.url.origin, APPLICATION, `${page.status} ${page.url} ${page.html}`);
    assert.equal(page.parameter("errorCode"), null);
    assert.equal(page.parameter("state"), "of the application");
    const form = {
      grant_type: "authorization_code", client_id: server.project_id, client_secret: server.publishable_client_key,
      code: page.parameter("code"), redirect_uri: REDIRECT_URI, code_verifier: verifier,
    };
    const answer = await fetch(`${server.base_url}/api/v1/auth/oauth/token`, { method: "POST", body: new URLSearchParams(form) });
    assert.equal(answer.status, 200);
    return answer.json();
  }

  async function call(path, { method = "GET", body, token } = {}) {
    const answer = await fetch(`${server.base_url}/api/v1${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        "x-stack-project-id": server.project_id,
        ...(token
          ? { "x-stack-access-type": "client", "x-stack-publishable-client-key": server.publishable_client_key, "x-stack-access-token": token }
          : { "x-stack-access-type": "server", "x-stack-secret-server-key": server.secret_server_key }),
      },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, code: answer.headers.get("x-stack-known-error"), body: await answer.json() };
  }

  /** The whole way: who the user is then, and their token. */
  async function signIn(name, login, { visitor = new Visitor(), parameters } = {}) {
    const { address, verifier } = begin(name, parameters);
    const tokens = await redeem(await agree(visitor, address, login), verifier);
    const user = (await call("/users/me", { token: tokens.access_token })).body;
    return { id: user.id, email: user.primary_email, verified: user.primary_email_verified, name: user.display_name, isNew: tokens.is_new_user, token: tokens.access_token };
  }

  /** The accounts of a user: provider and subject. */
  async function accounts(user) {
    const { body } = await call(`/oauth-providers?include=generic&user_id=${user}`);
    return body.items.map((one) => [one.provider_config_id, one.account_id, one.email]);
  }

  return { startProvider, begin, agree, redeem, signIn, call, accounts };
}
