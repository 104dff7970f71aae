// Where a page's data is as JSON: links to the node's API, each with a name of its own.

import { get } from "../api.js";
import { html } from "../html.js";
import { t } from "../lang.js";
import { token, useStore } from "../store.js";

const EVENTS = "/v1/events"; // a stream, not a document

/** `data`: one address or several; `signed`: they answer the owner alone. */
export function JsonLinks({ data, signed }) {
  const all = (Array.isArray(data) ? data : [data]).filter(Boolean);
  if (signed) return all.map((href) => html`<${Owners} href=${href} />`);
  return all.map((href, place) => html`<a class="json" href=${href} target="_blank" rel="noopener" title=${href}>${label(href, place)}<span class="unseen"> ${t("json.of", { path: href })}</span></a>`);
}

/** The first is the page's own; others say what they are of: the last word of their address. */
function label(href, place) {
  if (href === EVENTS) return "SSE";
  return place === 0 ? "JSON" : `JSON: ${href.split("?")[0].split("/").pop()}`;
}

/** A browser sends the token with no link, so the data is fetched here and saved; before there is a token, this says where it is. */
function Owners({ href }) {
  const shown = useStore(token);
  const said = html`JSON<span class="unseen"> ${t(shown ? "json.of" : "json.owner", { path: href })}</span>`;
  if (!shown) return html`<span class="json faint" title=${t("json.owner", { path: href })}>${said}</span>`;
  return html`<button type="button" class="json" title=${href} onClick=${() => save(href)}>${said}</button>`;
}

async function save(href) {
  const answer = await get(href, { signed: true }).catch((problem) => ({ title: problem.title, status: problem.status, detail: problem.message }));
  const file = URL.createObjectURL(new Blob([JSON.stringify(answer, null, 1)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `${href.split("?")[0].split("/").slice(2).join("-").slice(0, 40)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000); // a guess: the browser has begun to write it by then
}
