// The frame of a page's content: its heading, the link to its data, and what to show while there is none.

import { html, useEffect } from "../html.js";
import { t } from "../lang.js";
import { JsonLinks } from "./json.js";
import { Refusal } from "./refusal.js";

/** The top of a page. `title` is also the window's; `data`: address of the page's JSON, one or several; `signed`: which answers the owner alone. */
export function Heading({ title, kind, data, signed, children, window: windowTitle }) {
  const shown = windowTitle ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = shown ? `${shown} · Horoi` : "Horoi";
  }, [shown]);
  return html`<header class="heading">
    <div>
      ${kind && html`<p class="kind">${kind}</p>`}
      <h1 tabindex="-1">${title}</h1>
    </div>
    <div class="beside">${children}<${JsonLinks} data=${data} signed=${signed} /></div>
  </header>`;
}

/** A part of a page, with its own heading. */
export function Section({ title, note, id, children, beside, class: name = "" }) {
  return html`<section class=${`section ${name}`} aria-labelledby=${id}>
    <div class="section-head"><h2 id=${id}>${title}</h2>${beside}</div>
    ${note && html`<p class="note">${note}</p>`}
    ${children}
  </section>`;
}

/** What to show instead of data: that it is on its way, or why it does not come. */
export function Instead({ problem, isLoading, reload, empty }) {
  if (problem) {
    const words = problem.status === 0 ? t("problem.silent") : problem.status === 404 ? t("problem.none") : t("problem.refused");
    return html`<div class="problem" role="alert">
      <strong>${words}</strong>
      <${Refusal} problem=${problem} />
      ${reload && html`<button type="button" onClick=${reload}>${t("problem.again")}</button>`}
    </div>`;
  }
  if (isLoading) return html`<p class="loading" aria-busy="true">${t("loading")}</p>`;
  return empty ? html`<p class="empty">${empty}</p>` : null;
}

/** Terms and what they are, in two columns. Rows whose value is null are left out; [term, value, hint, isWide]. */
export function Facts({ rows }) {
  return html`<dl class="facts">
    ${rows.filter((row) => row && row[1] !== null && row[1] !== undefined).map(([term, value, hint, isWide]) => html`<div class=${isWide ? "wide" : ""}><dt title=${hint || undefined}>${term}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
