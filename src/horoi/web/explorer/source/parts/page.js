// The frame of a page's content: its heading, the link to its data, and what to show while there is none.

import { html, useEffect } from "../html.js";
import { t } from "../lang.js";

const EVENTS = "/v1/events"; // a stream, not a document

/** The top of a page. `title` is also the window's; `data`: address of the page's JSON, one or several. */
export function Heading({ title, kind, data, children, window: windowTitle }) {
  const shown = windowTitle ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    document.title = shown ? `${shown} · Horoi` : "Horoi";
  }, [shown]);
  return html`<header class="heading">
    <div>
      ${kind && html`<p class="kind">${kind}</p>`}
      <h1 tabindex="-1">${title}</h1>
    </div>
    <div class="beside">${children}<${JsonLinks} data=${data} /></div>
  </header>`;
}

export function JsonLinks({ data }) {
  const all = (Array.isArray(data) ? data : [data]).filter(Boolean);
  return all.map((href) => html`<a class="json" href=${href} target="_blank" rel="noopener" title=${href}>${href === EVENTS ? "SSE" : "JSON"}<span class="unseen"> ${t("json.of", { path: href })}</span></a>`);
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
      ${problem.message && html`<p>${problem.message}</p>`}
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
