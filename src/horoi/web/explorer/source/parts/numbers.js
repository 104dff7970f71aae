// Amounts and times as people read them, with the exact value for programs and the curious.

import { html } from "../html.js";
import { ago, dateTime, number } from "../lang.js";
import { Asset } from "./names.js";
import { Text } from "./text.js";

/** "6,327 bbl"; with `named`, "6,327 bbl of Thasos crude oil" is the sentence's business: see words/board.js. */
export function Amount({ value, unit = value?.unit, amount = value?.amount }) {
  if (amount === null || amount === undefined) return html`<span class="number">${value ? number(value.quantity) : "–"}</span>`;
  return html`<span class="number">${number(amount)}${unit ? html` <${Text} plain most=${16} value=${unit} />` : ""}</span>`;
}

export function AmountOf({ value }) {
  if (!value) return "–";
  return html`<${Amount} value=${value} /> <${Asset} id=${value.asset} name=${value.name} alike=${value.alike} />`;
}

/** A moment: how long ago if `now` is given (see useNow), else the date; the other one as its title. */
export function Time({ ms, now }) {
  if (!ms && ms !== 0) return "–";
  let iso;
  try {
    iso = new Date(ms).toISOString();
  } catch {
    return number(ms); // beyond what a date can be
  }
  return html`<time datetime=${iso} title=${dateTime(ms)}>${now ? ago(ms, now) : dateTime(ms)}</time>`;
}
