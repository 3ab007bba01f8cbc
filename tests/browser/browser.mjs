// The installed Chromium, driven over a pipe, and the page that it shows. Owns their processes and folders; every
// browser starts with an empty profile and reaches nothing but loopback by itself.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM || "/usr/bin/chromium";
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  // Every name but these two is unknown: a page cannot reach the Internet even by mistake.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];

/** Serves one page with the bundled libraries, whatever the path; gives its port on 127.0.0.1. */
export async function servePage(undo) {
  const folder = dirname(fileURLToPath(import.meta.url));
  const bundled = await build({
    entryPoints: [join(folder, "page.js")],
    bundle: true,
    format: "iife",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    write: false,
  });
  const script = bundled.outputFiles[0].text;
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8");
    response.end(isScript ? script : '<!doctype html><title>A page</title><script src="/page.js"></script>');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return server.address().port;
}

/** Starts a browser with an empty profile. */
export async function startBrowser(undo) {
  if (!existsSync(EXECUTABLE)) throw new Error(`there is no ${EXECUTABLE}: install Debian's package chromium`);
  const profile = await mkdtemp(join(tmpdir(), "latchkey-chromium-"));
  undo.push(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    ignoreDefaultArgs: true,
    args: [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-pipe"],
  });
  undo.push(() => context.close());
  return context;
}

/** Opens a page whose authenticator is a virtual one: built in, with passkeys; `options` change it. */
export async function openPage(context, url, options = {}) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction("window.tested !== undefined");
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...options,
    },
  });
  const credentials = async () =>
    (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  return { page, devtools, authenticatorId, credentials };
}

/** The published client app on a page, unmodified, as the server's project has it. Pages have one as long as they stay. */
export async function openApp(page, server, options = {}) {
  await page.waitForFunction("window.tested !== undefined");
  return page.evaluateHandle(
    ([server, options]) =>
      new window.tested.StackClientApp({
        baseUrl: server.base_url,
        projectId: server.project_id,
        publishableClientKey: server.publishable_client_key,
        tokenStore: "cookie",
        redirectMethod: "window",
        ...options,
      }),
    [server, options],
  );
}
