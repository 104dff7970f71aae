// Why the node refused, in the reader's language: the sentence of its code, filled with its values. A code that this page has no
// sentence for is said in the node's own English, and marked as such. Of a ledger's rule the exact values follow, in English.

import { html } from "../html.js";
import { has, number, say, t } from "../lang.js";
import { Address, Hash, assetUrl } from "./names.js";
import { Text } from "./text.js";

const NATIVE = "00".repeat(32);
const AMOUNTS = ["elsewhere", "fee", "have", "immature", "least", "need", "quantity"]; // as text, for they have 64 bits
const MOST = 200;

export function Refusal({ problem }) {
  const { code, values, message } = problem;
  if (!message && !code) return null;
  if (has(`refusal.${code}`)) return html`<p>${said(`refusal.${code}`, values)}</p>`;
  const english = html`<p lang="en" class="faint"><${Text} plain most=${2 * MOST} value=${message} /></p>`;
  return has(`rule.${code}`) ? html`<p>${t(`rule.${code}`)} <code>${code}</code></p>${english}` : english;
}

const said = (word, values) => say(word, Object.fromEntries(Object.entries(values).map(([name, value]) => [name, shown(name, value, values)])));

function shown(name, value, values) {
  if (typeof value === "number" || (AMOUNTS.includes(name) && /^\d+(\.\d+)?$/.test(value))) return number(value);
  if (name === "asset") return value === NATIVE ? t("refusal.coin") : say("refusal.asset", { name: named(value, values.asset_name) });
  if (name === "who") return html`<${Address} address=${value} />`;
  return html`<${Text} plain most=${MOST} value=${value} />`;
}

/** An asset by its name, if that is told, and always by its id: names can be imitated. */
const named = (id, name) => html`${name && html`<${Text} plain most=${48} value=${name} /> `}<${Hash} value=${id} href=${assetUrl(id)} />`;
