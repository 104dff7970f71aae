// Who may act, within a sentence that somebody signs: names that this node trusts, else addresses whole (a shortened one can be
// imitated), and conditions of several with everything that they allow. Beside it, condition.js writes them as lists.

import "../words/condition.js";
import { html } from "../html.js";
import { dateTime, number, say } from "../lang.js";
import { useName } from "../names.js";
import { keyUrl } from "./names.js";
import { Text } from "./text.js";

const DEEPEST = 8; // as deep as the ledger lets conditions be

/** A party as the API describes it. `plain`: without links, for places in links. */
export function Who({ party, plain }) {
  const isTrusted = party.source === "book" || party.source === "own";
  return html`<${Form} form=${party.condition} name=${isTrusted && typeof party.condition === "string" ? party.text : null} plain=${plain} />`;
}

function Form({ form, name, plain, depth = 0 }) {
  if (typeof form === "string") return html`<${Key} ...${{ address: form, name, plain }} />`;
  if (depth > DEEPEST) return html`<code><${Text} plain value=${JSON.stringify(form)} most=${400} /></code>`;
  const joined = (forms, word) => forms.map((inner, i) => html`${i > 0 && word}<${Form} ...${{ form: inner, plain, depth: depth + 1 }} />`);
  if (form.threshold) return html`<span>${say("condition.of", { k: number(form.threshold), keys: joined(form.keys, ", ") })}</span>`;
  if (form.any) return html`<span>(${joined(form.any, say("condition.or"))})</span>`;
  if (form.all) return html`<span>(${joined(form.all, say("condition.and"))})</span>`;
  if (form.after_height !== undefined) return html`<span>${say("condition.anybody-height", { height: number(form.after_height) })}</span>`;
  if (form.after_time !== undefined) return html`<span>${say("condition.anybody-time", { time: moment(form.after_time) })}</span>`;
  if (form.preimage) return html`<span>${say("condition.shows", { hash: html`<span class="hash">${form.preimage}</span>` })}</span>`;
  return html`<code><${Text} plain value=${JSON.stringify(form)} most=${400} /></code>`;
}

function Key({ address, name, plain }) {
  const found = useName(address) ?? name;
  const label = found ? html`<${Text} plain most=${64} value=${found} />` : html`<bdi>${address}</bdi>`;
  const look = found ? "party" : "party hash";
  return plain ? html`<span class=${look}>${label}</span>` : html`<a class=${look} href=${keyUrl(address)} title=${address}>${label}</a>`;
}

/** A time as the API writes it: RFC 3339, or milliseconds beyond the year 9999. */
function moment(time) {
  const ms = typeof time === "number" ? NaN : Date.parse(time);
  return Number.isNaN(ms) ? String(time) : dateTime(ms);
}
