// A browser without scripts: follows redirects, keeps cookies, sends forms. Owns one person's cookies. The page of the
// application is not served by anybody: whoever is sent there has arrived.

/** Where the application of these tests is. */
export const APPLICATION = "http://localhost:3000";

const MOST_REDIRECTS = 10;

export class Visitor {
  #cookies = [];

  /** Opens an address and follows redirects. */
  async open(url) {
    return this.#request(new URL(url), { method: "GET" });
  }

  /** Sends the form of a page, with its hidden fields and what the person types. Stops in front of `before`. */
  async submit(page, typed, before = APPLICATION) {
    const form = /<form[^>]* action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page.html);
    if (!form) throw new Error(`there is no form on ${page.url}:\n${page.html}`);
    const hidden = [...form[2].matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const fields = new URLSearchParams([...hidden.map(([, name, value]) => [name, text(value)]), ...Object.entries(typed)]);
    return this.#request(new URL(text(form[1]), page.url), {
      method: "POST",
      body: fields.toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }, before);
  }

  /** Follows the link whose address has this part. */
  async follow(page, part) {
    const links = [...page.html.matchAll(/<a href="([^"]*)"/g)].map(([, address]) => text(address));
    const address = links.find((address) => address.includes(part));
    if (!address) throw new Error(`there is no link with ${part} on ${page.url}:\n${page.html}`);
    return this.open(new URL(address, page.url));
  }

  async #request(url, request, before = APPLICATION) {
    for (let step = 0; step < MOST_REDIRECTS; step += 1) {
      if (url.href.startsWith(before) || url.origin === APPLICATION) return { url, html: "", status: 0, parameter: (name) => url.searchParams.get(name) };
      const headers = { ...request.headers, cookie: this.#sentTo(url) };
      const answer = await fetch(url, { ...request, headers, redirect: "manual" });
      this.#keep(url, answer.headers.getSetCookie());
      const location = answer.headers.get("location");
      if (location === null) {
        return { url, html: await answer.text(), status: answer.status, code: answer.headers.get("x-stack-known-error") };
      }
      await answer.arrayBuffer();
      url = new URL(location, url);
      // 307 sends the form again (RFC 9110 §15.4.8); no form of these tests is answered so.
      request = { method: "GET" };
    }
    throw new Error(`more than ${MOST_REDIRECTS} redirects, lastly to ${url}`);
  }

  /** The header of RFC 6265 §5.4 for an address; ports do not matter there. */
  #sentTo(url) {
    const fits = ({ host, path }) => host === url.hostname && (url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`));
    return this.#cookies.filter(fits).map(({ name, value }) => `${name}=${value}`).join("; ");
  }

  #keep(url, lines) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const attribute = (wanted) => attributes.map((one) => one.split("=")).find(([one]) => one.toLowerCase() === wanted)?.[1];
      const path = attribute("path") ?? "/";
      this.#cookies = this.#cookies.filter((one) => !(one.host === url.hostname && one.name === name && one.path === path));
      const expires = attribute("expires");
      const isOver = attribute("max-age") === "0" || (expires !== undefined && Date.parse(expires) <= Date.now());
      if (!isOver) this.#cookies.push({ host: url.hostname, name, value, path });
    }
  }
}

/** HTML's escapes undone. */
const text = (html) => html.replaceAll("&#x3D;", "=").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
