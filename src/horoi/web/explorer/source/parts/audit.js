// The Audit button, and the list of links that were checked.

import { html, useState } from "../html.js";
import { named, t } from "../lang.js";
import { Table } from "./table.js";
import { Text } from "./text.js";
import "../words/prove.js";
import "../words/rules.js";

/** What is wrong with a broken link, { name, values, detail }: a sentence; of a rule of the ledger the rule's. */
export const wrong = ({ name, values }) => (name === "rules" ? named("rule", values.rule) : t(`prove.broken.${name}`, values));

/** What was found of a link: in words, or what is wrong with it, and the exact values in English. */
function Found({ words, broken }) {
  if (!broken) return html`<div class="found"><${Text} plain most=${400} value=${words} /></div>`;
  return html`<div class="found">
    <p>${wrong(broken)}${broken.values.rule && html` <code>${broken.values.rule}</code>`}</p>
    <p lang="en" class="faint"><${Text} plain most=${400} value=${broken.detail} /></p>
  </div>`;
}

/** Links in a table: [{ name, words }, or with `broken`: { name, values, detail }]. */
export function Steps({ steps }) {
  const columns = [
    { head: t("prove.link"), cell: ({ name, broken }) => t(`prove.link.${broken?.name ?? name}`) },
    { head: t("prove.state"), cell: ({ broken }) => html`<span class=${`tag ${broken ? "bad" : "good"}`}>${t(broken ? "prove.no" : "prove.yes")}</span>` },
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
      const done = await audit({ kind, id });
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
