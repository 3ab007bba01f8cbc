// An OpenID Connect provider that this project did not write: the package `oidc-provider`, on a port of its own, strict
// (PKCE, exact redirect URIs, single codes), with pairwise subjects, rotated refresh tokens and keys that can be changed
// while it runs. Owns its server; who its users are is what they type at its page.
import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

/** A private key for one algorithm of RFC 7518 or RFC 8037. */
function newKey(alg) {
  const [type, options] = {
    RS256: ["rsa", { modulusLength: 2048 }],
    PS256: ["rsa", { modulusLength: 2048 }],
    ES256: ["ec", { namedCurve: "P-256" }],
    EdDSA: ["ed25519", {}],
  }[alg];
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: randomUUID() };
}

/** Keeps what the provider remembers, also when its keys change: the interface that the package wants for that. */
function memory() {
  const stored = new Map();
  const revokedGrants = new Set();
  return class {
    static revokeAll() {
      for (const one of stored.values()) if (one.grantId) revokedGrants.add(one.grantId);
    }
    constructor(kind) {
      this.kind = kind;
    }
    async upsert(id, payload) {
      stored.set(`${this.kind}:${id}`, { ...payload });
    }
    async find(id) {
      const found = stored.get(`${this.kind}:${id}`);
      return found && !revokedGrants.has(found.grantId) ? found : undefined;
    }
    async findByUid(uid) {
      return [...stored.entries()].find(([key, one]) => key.startsWith(`${this.kind}:`) && one.uid === uid)?.[1];
    }
    async findByUserCode() {
      return undefined;
    }
    async consume(id) {
      stored.get(`${this.kind}:${id}`).consumed = Math.floor(Date.now() / 1000);
    }
    async destroy(id) {
      stored.delete(`${this.kind}:${id}`);
    }
    async revokeByGrantId(grantId) {
      revokedGrants.add(grantId);
    }
  };
}

/** Who somebody is who types `login`: the part before the address says what is special about them. */
function claimsOf(login) {
  if (login.startsWith("nobody-")) throw new Error("the directory of users is down");
  if (login.startsWith("silent-")) return {};
  return { name: `Name of ${login}`, email: login, email_verified: !login.startsWith("unverified-") };
}

/** The subject of a user for a client: another one for each client. */
export const pairwise = (login, clientId) => createHash("sha256").update(`salt ${clientId} ${login}`).digest("base64url");

/**
 * Starts a provider. `clients` are as in OpenID Connect Dynamic Registration §2; each needs `client_id`,
 * `client_secret` and `redirect_uris`. `alg` signs its ID tokens; access tokens live for `lifetime` seconds.
 */
export async function oidcProvider(undo, { clients, alg = "RS256", lifetime = 600 }) {
  let keys = [newKey(alg)];
  let handle;
  let published;
  const requests = [];
  const events = { authorizations: [], refused: [], refreshed: 0, revoked: [] };
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url.split("?")[0]}`);
    if (request.url === "/jwks" && published) {
      response.setHeader("content-type", "application/jwk-set+json");
      return response.end(JSON.stringify({ keys: published }));
    }
    return handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const adapter = memory();

  function restart() {
    const provider = new Provider(issuer, {
      adapter,
      clients: clients.map((client) => ({
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        subject_type: "pairwise",
        id_token_signed_response_alg: alg,
        ...client,
      })),
      jwks: { keys },
      enabledJWA: { idTokenSigningAlgValues: [alg] },
      subjectTypes: ["pairwise"],
      pairwiseIdentifier: async (_, login, client) => pairwise(login, client.clientId),
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      findAccount: async (_, login) => ({ accountId: login, claims: async () => ({ sub: login, ...claimsOf(login) }) }),
      pkce: { required: () => true },
      rotateRefreshToken: true,
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: lifetime, IdToken: 600, RefreshToken: 600, AuthorizationCode: 60 },
      cookies: { keys: ["a key for cookies"] },
      features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
    });
    provider.on("authorization.success", (ctx) => events.authorizations.push({ ...ctx.oidc.params }));
    provider.on("authorization.error", (_, error) => events.refused.push(error.error));
    provider.on("grant.error", (_, error) => events.refused.push(error.error));
    provider.on("grant.success", (ctx) => (events.refreshed += ctx.oidc.params.grant_type === "refresh_token" ? 1 : 0));
    provider.on("grant.revoked", (_, grant) => events.revoked.push(grant));
    handle = provider.callback();
  }
  restart();

  return {
    issuer,
    events,
    /** Requests so far to a path. */
    requestsTo: (path) => requests.filter((one) => one.endsWith(` ${path}`)).length,
    /** The person has taken back everything that they allowed. */
    revokeEverything: () => adapter.revokeAll(),
    /** What the provider says about the owner of an access token. */
    async ownerOf(token) {
      const answer = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
      return answer.status === 200 ? answer.json() : null;
    },
    /** From now on another key signs; the old one is published as well, or is not any more. */
    rotateKeys({ keepsOld }) {
      keys = [newKey(alg), ...(keepsOld ? keys : [])];
      restart();
    },
    /** From now on another key signs, and the key set goes on saying what it says now. */
    async rotateKeysInSecret() {
      published = (await (await fetch(`${issuer}/jwks`)).json()).keys;
      keys = [newKey(alg)];
      restart();
    },
  };
}
