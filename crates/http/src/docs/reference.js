// Shows /api/v1/openapi.json. Builds elements, never markup from strings.
"use strict";

const byId = (id) => document.getElementById(id);

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

let definitions = {};

const resolve = (schema) =>
  schema && schema.$ref ? definitions[schema.$ref.split("/").pop()] || {} : schema || {};

function typeName(schema) {
  if (schema === true || Object.keys(schema).length === 0) return "any JSON";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map(typeName).join(" or ");
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" or ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") return `array of ${typeName(schema.items || true)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "any JSON";
  return schema.format ? `${type} (${schema.format})` : type;
}

function row(name, required, schema, description) {
  const first = element("td", {}, element("code", {}, name));
  if (required) first.append(" required");
  const text = description || (schema && schema.description) || "";
  return element("tr", {}, first, element("td", {}, typeName(schema)), element("td", {}, text));
}

function table(rows) {
  const head = element("tr", {}, ...["Name", "Type", "Meaning"].map((text) => element("th", {}, text)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

function properties(schema, depth) {
  const resolved = resolve(schema);
  const choices = resolved.anyOf || resolved.oneOf;
  if (choices && depth > 0) {
    const parts = choices.filter((choice) => choice.type !== "null").map((choice) =>
      element("div", {}, element("p", {}, typeName(choice)), properties(choice, depth - 1)));
    return element("div", {}, ...parts);
  }
  const entries = Object.entries(resolved.properties || {});
  if (entries.length === 0) return element("p", {}, typeName(schema));
  const required = new Set(resolved.required || []);
  return table(entries.map(([name, property]) => row(name, required.has(name), property)));
}

function content(part) {
  const media = Object.entries((part && part.content) || {})[0];
  return media ? properties(media[1].schema, 2) : element("p", {}, "Empty.");
}

function details(path, method, operation) {
  const body = element("div", {});
  const access = operation["x-latchkey-access"] || [];
  const words = access.length ? access : ["open to everybody"];
  body.append(element("p", {}, ...words.map((word) => element("span", { class: "tag" }, word))));
  if (operation.parameters) {
    const rows = operation.parameters.map((parameter) =>
      row(`${parameter.name} (${parameter.in})`, parameter.required, parameter.schema, parameter.description));
    body.append(element("h3", {}, "Parameters"), table(rows));
  }
  if (operation.requestBody) body.append(element("h3", {}, "Body"), content(operation.requestBody));
  for (const [status, response] of Object.entries(operation.responses)) {
    const failed = Number(status) >= 400;
    body.append(element("h3", {}, `${status} ${failed ? response.description : ""}`));
    if (!failed) body.append(content(response));
  }
  return body;
}

function show(description) {
  definitions = (description.components || {}).schemas || {};
  const groups = new Map();
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push({ path, method, operation });
    }
  }
  const main = byId("operations");
  main.replaceChildren();
  for (const [tag, rows] of groups) {
    const section = element("section", {}, element("h2", {}, tag));
    for (const { path, method, operation } of rows) {
      const id = operation.operationId;
      const name = () => [element("code", { class: "method" }, method.toUpperCase()), element("code", {}, path)];
      const entry = element("details", { id },
        element("summary", {}, ...name(), element("span", {}, operation.summary)));
      entry.dataset.text = `${method} ${path} ${JSON.stringify(operation)}`.toLowerCase();
      entry.addEventListener("toggle", () => {
        if (entry.open && entry.children.length === 1) entry.append(details(path, method, operation));
      });
      const link = element("a", { href: `#${id}` }, ...name());
      entry.link = link;
      byId("contents").append(link);
      section.append(entry);
    }
    main.append(section);
  }
  const jump = () => {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (target) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", jump);
  jump();
}

byId("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const entry of document.querySelectorAll("details")) {
    const visible = words.every((word) => entry.dataset.text.includes(word));
    entry.hidden = !visible;
    entry.link.hidden = !visible;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details:not([hidden])");
  }
});

fetch("/api/v1/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch((error) => byId("operations").replaceChildren(element("p", {}, `The reference could not be loaded: ${error}`)));
