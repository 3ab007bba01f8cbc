// Starts `latchkey dev` as a process of its own, and records what the SDK asks of it.
// Owns the life of that process and of the PostgreSQL database made for it. Knows nothing of the tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

const READY_WITHIN_MILLIS = 30_000;
const POLL_MILLIS = 20;

/** The engines to test on. Without a PostgreSQL to use, only SQLite, unless REQUIRE_ALL forbids that. */
const engines = process.env.TEST_POSTGRES_URL || process.env.REQUIRE_ALL === "1" ? ["sqlite", "postgres"] : ["sqlite"];

/**
 * Declares the same tests once per engine. `body` gets the server: the fields of its ready file once tests run.
 * `environment` is laid over the server's own, which has nothing that configures it.
 */
export function onEachEngine(title, body, environment = {}) {
  for (const engine of engines) {
    describe(`${title} on ${engine}`, () => {
      const server = {};
      const undo = [];
      before(() => start(engine, server, undo, environment));
      after(async () => {
        for (const step of undo.reverse()) await step();
      });
      body(server);
    });
  }
}

async function start(engine, server, undo, environment) {
  const binary = process.env.LATCHKEY_BINARY;
  if (!binary) throw new Error("LATCHKEY_BINARY must name the latchkey binary");
  const directory = await mkdtemp(join(tmpdir(), "latchkey-compat-"));
  undo.push(() => rm(directory, { recursive: true, force: true }));
  const readyFile = join(directory, "ready.json");
  const args = ["dev", "--port", "0", "--data-dir", join(directory, "data"), "--ready-file", readyFile];
  if (engine === "postgres") args.push("--database-url", await postgresDatabase(undo));
  const log = await open(join(directory, "log"), "w+");
  undo.push(() => log.close());
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LATCHKEY|STACK|HEXCLAVE)_/.test(name)));
  const child = spawn(binary, args, { cwd: directory, env: { ...own, ...environment }, stdio: ["ignore", log.fd, log.fd] });
  const ended = once(child, "exit");
  undo.push(() => end(child, ended));
  Object.assign(server, await ready(child, readyFile, join(directory, "log")));
}

async function ready(child, readyFile, logFile) {
  const deadline = Date.now() + READY_WITHIN_MILLIS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      return JSON.parse(await readFile(readyFile, "utf8"));
    } catch (error) {
      if (error.code !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
    }
    await pause(POLL_MILLIS);
  }
  throw new Error(`latchkey dev was not ready (exit code ${child.exitCode}):\n${await readFile(logFile, "utf8")}`);
}

async function end(child, ended) {
  child.kill("SIGTERM");
  const insist = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(insist);
}

/** The URL of a database made for these tests and dropped after them. */
async function postgresDatabase(undo) {
  const url = process.env.TEST_POSTGRES_URL;
  if (!url) throw new Error("REQUIRE_ALL is set, but TEST_POSTGRES_URL is not");
  const name = `latchkey_compat_${randomUUID().replaceAll("-", "")}`;
  await execute(url, `CREATE DATABASE ${name}`);
  undo.push(() => execute(url, `DROP DATABASE ${name} WITH (FORCE)`));
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

async function execute(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Lays settings of the server's project over those that it has; keys are paths with dots. */
export async function configure(server, settings) {
  const answer = await fetch(`${server.base_url}/api/v1/internal/config/override/environment`, {
    method: "PATCH",
    headers: {
      "content-type": "application/json",
      "x-stack-project-id": server.project_id,
      "x-stack-access-type": "admin",
      "x-stack-super-secret-admin-key": server.super_secret_admin_key,
    },
    body: JSON.stringify({ config_override_string: JSON.stringify(settings) }),
  });
  if (answer.status !== 200) throw new Error(`the settings were refused: ${await answer.text()}`);
}

/** Notes every request that `block` makes through `fetch`: method, path, header names, status as the client sees it. */
export async function requestsOf(block) {
  const seen = [];
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init?.body === undefined ? init : { ...init, duplex: "half" });
    const entry = { method: request.method, path: new URL(request.url).pathname, headers: named(request.headers) };
    seen.push(entry);
    const response = await original(input, init);
    entry.status = Number(response.headers.get("x-stack-actual-status") ?? response.status);
    return response;
  };
  try {
    await block();
  } finally {
    globalThis.fetch = original;
  }
  return seen;
}

/** The names of the headers that a browser asks for in a preflight; it sends the two others without asking. */
const named = (headers) => [...headers.keys()].filter((name) => name !== "accept" && name !== "user-agent");

/** The mails to an address, newest first; waits until there is one. */
export async function mailsTo(server, email) {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const answer = await fetch(`${server.base_url}/dev/emails?to=${encodeURIComponent(email)}`);
    const { items } = await answer.json();
    if (items.length > 0) return items;
    await pause(POLL_MILLIS);
  }
  throw new Error(`no mail to ${email}`);
}

/** An address nobody else uses. */
export const newEmail = () => `person-${randomUUID()}@example.com`;

/** A password that the rules accept. */
export const PASSWORD = "a quiet harbour at 6";

/** The code of RFC 6238 that an app with `secret` shows, `steps` half minutes from now. */
export function totp(secret, steps = 0) {
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", secret).update(counter).digest();
  const number = hash.readUInt32BE(hash.at(-1) & 0xf) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
