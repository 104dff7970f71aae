// Where books do not meet, as a sentence; in the node's own English where this page has no words for it.

import { html } from "../../html.js";
import { say, t } from "../../lang.js";
import { Sentence } from "../../parts/lines.js";
import { Party, Transaction } from "../../parts/names.js";
import { Amount } from "../../parts/numbers.js";
import { Text } from "../../parts/text.js";

export function Gap({ gap, books }) {
  return html`<li>
    <span class=${`tag ${gap.kind === "unbalanced" || gap.kind === "statement" ? "bad" : "warn"}`}>${t(`gap.${gap.kind}`)}</span>
    ${" "}${sentence(gap, books) ?? html`<span lang="en"><${Text} value=${gap.words} most=${240} /></span>`}
    ${gap.hours !== null && html` · ${t("gap.hours", { n: Math.round(gap.hours) })}`}
    ${gap.transaction && html` · <${Transaction} id=${gap.transaction} />`}
  </li>`;
}

function sentence(gap, books) {
  const amount = html`<${Amount} value=${gap.amount} />`;
  const who = html`<${Party} party=${gap.party} />`;
  if (gap.kind === "unbalanced") return say("gap.says-unbalanced", { held: amount, existing: html`<${Amount} amount=${books.existing} unit=${books.unit} />` });
  if (gap.kind === "in-transit") return say("gap.says-in-transit", { amount, owner: html`<${Party} party=${gap.owner} />`, holder: who });
  if (gap.kind === "waiting") return gap.line?.actor ? say("gap.says-waiting", { line: html`<${Sentence} line=${gap.line} />` }) : null;
  if (!["transaction", "books"].includes(gap.against)) return null;
  return say(`gap.says-${gap.against}`, { who, stated: html`<${Text} value=${gap.stated} most=${80} />` });
}
