// What waits for a block: the mempool, in words.

import { html } from "../../html.js";
import { t } from "../../lang.js";
import { Sentence } from "../../parts/lines.js";
import { Party, transactionUrl } from "../../parts/names.js";
import { JsonLinks } from "../../parts/json.js";
import { Section } from "../../parts/page.js";
import { Text } from "../../parts/text.js";

const SHOWN = 8;

export function Waiting({ lines, count, isLoading }) {
  return html`<${Section} id="waiting" title=${t("waiting.title")} beside=${html`<${JsonLinks} data="/v1/transactions" />`}>
    <p class="note">${isLoading ? t("loading") : t("waiting.count", { n: count })}</p>
    <ol class="stream small">${lines.slice(0, SHOWN).map((line) => html`<li key=${line.id} class="line-short">
      ${line.kind === "posted" ? html`<${Party} party=${line.actor} />: <${Text} value=${line.text} most=${80} />` : html`<${Sentence} line=${line} />`}
      ${" "}<a class="depth waits" href=${transactionUrl(line.transaction)}>${t("line.waits")}</a>
    </li>`)}</ol>
  <//>`;
}
