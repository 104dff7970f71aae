// The Audit button, and the list of links that were checked.

import { html, useState } from "../html.js";
import { named, t } from "../lang.js";
import { Table } from "./table.js";
import { Text } from "./text.js";
import "../words/prove.js";
import "../words/rules.js";

/** What was found of a link: in words, or if it is broken the rule's sentence and the values, in English. */
function Found({ words, detail, rule }) {
  if (words !== undefined) return html`<${Text} plain most=${400} value=${words} />`;
  return html`${rule && html`<p>${named("rule", rule)} <code>${rule}</code></p>`}<span lang="en"><${Text} plain most=${400} value=${detail} /></span>`;
}

/** Links in a table: [{ name, ok, words } or { name, ok: false, detail, rule }]. */
export function Steps({ steps }) {
  const columns = [
    { head: t("prove.link"), cell: ({ name }) => name },
    { head: t("prove.state"), cell: ({ ok }) => html`<span class=${`tag ${ok ? "good" : "bad"}`}>${t(ok ? "prove.yes" : "prove.no")}</span>` },
    { head: t("prove.found"), cell: Found },
  ];
  return html`<${Table} columns=${columns} rows=${steps} caption=${t("prove.links")} />`;
}

/** A button that has this browser check what the node shows of a transaction, a block, an asset or a post. */
export function Audit({ kind, id }) {
  const [state, setState] = useState({ steps: [], isBusy: false, ok: null, silent: null });
  const run = async () => {
    setState({ steps: [], isBusy: true, ok: null, silent: null });
    try {
      const { audit } = await import("../prove/audit.js");
      const done = await audit({ kind, id }, () => {});
      setState({ steps: done.steps, isBusy: false, ok: done.ok, silent: null });
    } catch (error) {
      setState({ steps: [], isBusy: false, ok: null, silent: String(error.message ?? error) });
    }
  };
  const { steps, isBusy, ok, silent } = state;
  return html`<div class="audit">
    <button type="button" onClick=${run} disabled=${isBusy}>${t("prove.audit")}</button>
    <div aria-live="polite" aria-busy=${isBusy}>
      ${ok !== null && html`<p class=${`verdict ${ok ? "good" : "bad"}`} role="status">${ok ? "✓ " : "✗ "}${t(ok ? "prove.audit.good" : "prove.audit.bad")}</p>`}
      ${silent && html`<p role="alert">${t("prove.audit.silent", { detail: silent })}</p>`}
      ${steps.length > 0 && html`<${Steps} steps=${steps} />`}
    </div>
  </div>`;
}
