// Who may act, as the ledger writes it (a condition): an address, or several in combination.

import "../words/condition.js";
import { html } from "../html.js";
import { say, t } from "../lang.js";
import { Address, Hash } from "./names.js";
import { Text } from "./text.js";

const DEEPEST = 6; // levels that are written out; the ledger itself allows no more than 8

export function Condition({ form, depth = 0 }) {
  if (form === null || form === undefined) return html`<span class="faint">${t("party.nobody")}</span>`;
  if (typeof form === "string") return html`<${Address} address=${form} />`;
  if (depth > DEEPEST) return html`<span class="hash">…</span>`;
  const each = (forms) => html`<ul class="inner">${forms.map((inner) => html`<li><${Condition} form=${inner} depth=${depth + 1} /></li>`)}</ul>`;
  if (form.threshold) return html`<span>${t("condition.threshold", { k: form.threshold, n: form.keys.length })}${each(form.keys)}</span>`;
  if (form.any) return html`<span>${t("condition.any")}${each(form.any)}</span>`;
  if (form.all) return html`<span>${t("condition.all")}${each(form.all)}</span>`;
  if (form.after_height !== undefined) return html`<span>${t("condition.height", { height: form.after_height })}</span>`;
  if (form.after_time !== undefined) return html`<span>${t("condition.time", { time: String(form.after_time) })}</span>`;
  if (form.preimage) return html`<span>${say("condition.preimage", { hash: html`<${Hash} value=${form.preimage} />` })}</span>`;
  return html`<code><${Text} value=${JSON.stringify(form)} /></code>`;
}
