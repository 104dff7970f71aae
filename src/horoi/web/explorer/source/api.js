// The node's API. A refusal is a problem document (RFC 9457): it is thrown as a Problem, whose message is for people.

import { token } from "./store.js";

export class Problem extends Error {
  constructor(status, { title = "", detail = "", rule = null, code = rule, values = {}, ...rest } = {}) {
    super(detail || title || String(status));
    this.status = status;
    this.title = title;
    this.rule = rule;
    this.code = code;
    this.values = values;
    this.more = rest;
  }
}

/** The JSON that the node answers. Throws Problem; status 0 is a node that did not answer. `signed`: with the owner's token, or with this one. */
export async function ask(method, path, { body, signed = false, signal, type = "application/json" } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = type;
  if (signed) headers.Authorization = `Bearer ${signed === true ? token.get() : signed}`;
  let answer;
  try {
    const sent = body === undefined || type !== "application/json" ? body : JSON.stringify(body);
    answer = await fetch(path, { method, headers, body: sent, signal, credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "" });
  }
  if (answer.status === 204) return null;
  const json = answer.headers.get("content-type")?.includes("json") ? await answer.json() : null;
  if (!answer.ok) {
    await import("./words/refusals.js").catch(() => {}); // its sentence; without it the node's own English stands
    throw new Problem(answer.status, json ?? { title: answer.statusText });
  }
  return json;
}

export const get = (path, options) => ask("GET", path, options);

/** POST with the owner's token. */
export const act = (path, body, options) => ask("POST", path, { body, signed: true, ...options });

/** An address with the query's parameters that are not empty. */
export function url(path, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== "") params.set(name, value);
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}
