// Why somebody had to agree: a line of the transaction as a sentence, or an output of theirs that it spends.

import { html } from "../../html.js";
import { has, number, t } from "../../lang.js";
import { Sentence } from "../../parts/lines.js";
import { Party } from "../../parts/names.js";
import { Text } from "../../parts/text.js";

/** The reasons of an agreement, as a list of children. */
export const reasons = (tx, agreement) =>
  agreement.why.map((words, i) => html`<${Reason} tx=${tx} reason=${agreement.reasons?.[i]} words=${words} />`);

/** One reason; in the node's own English where this page has no words for it, or the line is beyond those that it has. */
function Reason({ tx, reason, words }) {
  const line = reason?.kind === "line" ? tx.lines[reason.number] : null;
  if (line?.kind === "posted") return html`<span><${Party} party=${line.actor} />: ${line.text ? html`<${Text} value=${line.text} most=${160} />` : t("line.document")}</span>`;
  if (line?.actor) return html`<${Sentence} line=${line} />`;
  const key = `reason.${reason?.kind}`;
  if (has(key)) return html`<span>${t(key, { input: number(reason.number ?? 0) })}</span>`;
  return html`<span lang="en"><${Text} value=${words} most=${160} /></span>`;
}
