// Reconciliation: what came into the books, what left them, what must therefore be there, and where it does not meet.

import { html } from "../../html.js";
import { percent, t } from "../../lang.js";
import { Party } from "../../parts/names.js";
import { Amount } from "../../parts/numbers.js";
import { Section } from "../../parts/page.js";
import { Text } from "../../parts/text.js";
import { Gap } from "./gap.js";

export function Reconciliation({ books }) {
  const { unit } = books;
  const row = (sign, word, amount, name = "") => html`<tr class=${name}><th scope="row"><span class="sign" aria-hidden="true">${sign}</span>${word}</th><td class="right"><${Amount} amount=${amount} unit=${unit} /></td></tr>`;
  const nothing = (amount) => !/[1-9]/.test(amount);
  return html`<${Section} id="books" title=${t("books.title")} beside=${html`<span class=${`tag ${books.balanced && !books.gaps.length ? "good" : books.balanced ? "warn" : "bad"}`}>${books.balanced ? t(books.gaps.length ? "books.meet-but" : "books.meet", { n: books.gaps.length }) : t("books.unmet")}</span>`}>
    <div class="table"><table class="ledger">
      <caption class="unseen">${t("books.title")}</caption>
      <tbody>
        ${row("+", t("books.issued"), books.issued)}
        ${!nothing(books.produced) && row("+", t("books.produced"), books.produced)}
        ${!nothing(books.consumed) && row("−", t("books.consumed"), books.consumed)}
        ${books.retired_by_reason.map(({ reason, amount }) => row("−", html`${t("books.retired")}: <${Text} value=${reason} most=${64} />`, amount))}
        ${row("=", t("books.existing"), books.existing, "total")}
      </tbody>
    </table></div>
    ${!books.complete && html`<p class="note">${t("books.incomplete")}</p>`}
    ${books.gaps.length > 0 && html`<h3>${t("books.gaps")}</h3><ul class="gaps">${books.gaps.map((gap) => html`<${Gap} gap=${gap} books=${books} />`)}</ul>`}
  <//>`;
}

/** Who has how much: a bar for each, and the figures. */
export function Shares({ id, title, rows, total, unit }) {
  return html`<${Section} id=${id} title=${title}>
    <ul class="shares">${rows.map(({ party, amount }) => {
      const share = Number(total) > 0 ? Number(amount) / Number(total) : 0;
      return html`<li>
        <span class="share-who"><${Party} party=${party} /></span>
        <span class="number"><${Amount} amount=${amount} unit=${unit} /> <span class="faint">${percent(share)}</span></span>
        <span class="share-bar" aria-hidden="true"><span style=${{ width: `${100 * Math.min(1, share)}%` }}></span></span>
      </li>`;
    })}</ul>
    ${rows.length === 0 && html`<p class="empty">${t("books.nobody")}</p>`}
  <//>`;
}
