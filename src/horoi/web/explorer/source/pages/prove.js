// A proof file, dropped or chosen, and what it shows, link by link. Nothing leaves the browser.

import { html, useRef, useState } from "../html.js";
import { dateTime, named, number, t } from "../lang.js";
import { Facts, Heading, Section } from "../parts/page.js";
import { Audit, Steps, wrong } from "../parts/audit.js";
import { Hash } from "../parts/names.js";
import { Text } from "../parts/text.js";
import "../words/prove.js";

const AUDITED = ["transaction", "block", "asset", "post"];

export default function Prove({ query }) {
  const [kind, id] = [query.get("kind"), query.get("id")];
  return AUDITED.includes(kind) && id ? html`<${AuditPage} kind=${kind} id=${id} />` : html`<${DropPage} />`;
}

/** /prove?kind=block&id=17: what this node shows of it, audited. */
function AuditPage({ kind, id }) {
  const file = kind === "block" ? null : `/v1/proofs/${kind}/${encodeURIComponent(id)}`;
  return html`<${Heading} title=${t("prove.audit.title")} kind=${named("prove.kind", kind)} data=${file} />
    <p class="note">${t("prove.audit.intro")}</p>
    <p><${Hash} value=${id} length=${16} /></p>
    <${Audit} kind=${kind} id=${id} />
    ${file && html`<p><a href=${file} download=${`${kind}-${id.slice(0, 16)}.json`}>${t("prove.download")}</a></p>`}`;
}

function DropPage() {
  const [result, setResult] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const genesis = useRef(null);
  const witnesses = useRef(null);

  const check = async (file) => {
    if (!file) return;
    setBusy(true);
    try {
      setResult(await verdict(file, genesis.current?.files[0], witnesses.current?.value ?? ""));
    } finally {
      setBusy(false);
    }
  };
  return html`<${Heading} title=${t("prove.title")} />
    <p class="note">${t("prove.intro")}</p>
    <${Drop} onFile=${check} />
    <details class="options">
      <summary>${t("prove.options")}</summary>
      <label>${t("prove.genesis")}<input type="file" accept=".json,application/json" ref=${genesis} /></label>
      <label>${t("prove.witnesses")}<textarea rows="3" spellcheck="false" ref=${witnesses}></textarea></label>
    </details>
    <div aria-live="polite" aria-busy=${isBusy}>${isBusy ? html`<p class="loading">${t("prove.checking")}</p>` : result && html`<${Verdict} ...${result} />`}</div>`;
}

function Drop({ onFile }) {
  const [isOver, setOver] = useState(false);
  const over = (is) => (event) => {
    event.preventDefault();
    setOver(is);
  };
  const drop = (event) => {
    over(false)(event);
    onFile(event.dataTransfer.files[0]);
  };
  const chosen = (event) => {
    onFile(event.target.files[0]);
    event.target.value = ""; // the same file again is a new question
  };
  return html`<div class=${`drop ${isOver ? "over" : ""}`} onDragOver=${over(true)} onDragLeave=${over(false)} onDrop=${drop}>
    <p>${t("prove.drop")}</p>
    <label class="choose">${t("prove.choose")}<input type="file" accept=".json,application/json" onChange=${chosen} /></label>
  </div>`;
}

async function verdict(file, genesisFile, witnessText) {
  const { readGenesis, verifyProof } = await import("../prove/tools.js");
  const witnesses = witnessText.split(/\s+/).filter(Boolean);
  let genesis = null;
  try {
    genesis = genesisFile ? readGenesis(await genesisFile.text()) : null;
  } catch (error) {
    return { name: file.name, ok: false, links: [], broken: { name: "genesis", values: {}, detail: error.message }, found: {}, assumed: [] };
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const began = performance.now();
  const result = verifyProof(bytes, { genesis, witnesses });
  return { name: file.name, tookMs: performance.now() - began, ...result };
}

function Verdict({ name, ok, links, broken, found, assumed, tookMs }) {
  return html`<section class=${`verdict ${ok ? "good" : "bad"}`} aria-labelledby="verdict">
    <h2 id="verdict">${ok ? "✓ " : "✗ "}${t(ok ? "prove.holds" : "prove.fails")}</h2>
    <p class="faint"><${Text} plain most=${80} value=${name} />${tookMs !== undefined && html`, ${t("prove.took", { ms: number(Math.round(tookMs)) })}`}</p>
    ${broken && html`<p role="alert">${t("prove.broken", { link: t(`prove.link.${broken.name}`) })}. ${wrong(broken)}</p>`}
    ${ok && html`<${Found} ...${found} />`}
    <${Links} links=${links} broken=${broken} />
    ${ok && html`<${Section} title=${t("prove.assumes")} id="assumes"><ul>${assumed.map((one) => html`<li>${t(`prove.assumed.${one}`)}</li>`)}</ul><//>`}
  </section>`;
}

function Links({ links, broken }) {
  const steps = links.map(({ name, values }) => ({ name, words: t(`prove.held.${name}`, shown(values)) }));
  if (broken) steps.push({ broken });
  return html`<${Section} title=${t("prove.links")} id="links"><${Steps} steps=${steps} /><//>`;
}

const shown = (values) => (values.kind ? { ...values, kind: named("prove.kind", values.kind) } : values);

function Found(found) {
  const { proof, unspent } = found;
  return html`<${Section} title=${t("prove.says")} id="says">
    <${Facts} rows=${[
      [t("prove.fact.what"), html`${named("prove.kind", proof.claim.kind)} <${Hash} value=${proof.claim.id} />`],
      [t("prove.fact.asset"), found.definition && html`<${Text} plain most=${80} value=${found.definition.name} /> <${Text} plain most=${20} value=${found.definition.unit} />`],
      [t("prove.fact.post"), found.post && html`<${Text} value=${found.post} />`],
      [t("prove.fact.recorded"), t("prove.fact.block", { height: number(found.height), time: dateTime(found.timeMs) })],
      [t("prove.fact.name"), html`<${Hash} value=${found.block} length=${16} />`],
      [t("prove.fact.signers"), found.signers.length ? found.signers.map((key) => html`<div><${Hash} value=${key} length=${16} /></div>`) : t("prove.fact.nobody")],
      [t("prove.fact.work"), t("prove.held.work", { n: found.blocksOnTop, work: number(found.workOnTop) })],
      found.unspentHeight !== null && unspent.length > 0 && [t("prove.fact.unspent", { height: number(found.unspentHeight) }), unspent.map((one) => html`<div>${t("prove.fact.holding", { quantity: number(BigInt(one.quantity)), asset: one.asset.slice(0, 16) })}</div>`)],
      found.checkpoint && [t("prove.fact.cosigners"), found.checkpoint.signed.map((one) => html`<div><${Text} plain most=${100} value=${one.name} />, ${dateTime(one.timeS * 1000)}</div>`)],
    ]} />
  <//>`;
}
