// A transaction: what it says, what went in and came out, who had to agree and why, and what each signature covers.

import "../words/transaction.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { bytes, number, say, t } from "../lang.js";
import { Audit } from "../parts/audit.js";
import { Condition } from "../parts/condition.js";
import { Lines } from "../parts/lines.js";
import { Facts, Heading, Instead, Section } from "../parts/page.js";
import { Block, Copy, Hash, Party, Transaction, WholeHash } from "../parts/names.js";
import { AmountOf, Time } from "../parts/numbers.js";
import { Table } from "../parts/table.js";
import { reasons } from "./transaction/reason.js";

export default function TransactionPage({ params }) {
  const path = `/v1/transactions/${encodeURIComponent(params.id)}`;
  const { data: tx, ...rest } = useData(path, { on: ["block", "block-removed", "transaction-removed"] });
  if (!tx) return html`<${Heading} title=${t("tx.transaction")} data=${path} /><${Instead} ...${rest} />`;
  const isConfirmed = tx.status === "confirmed";
  return html`<${Heading} kind=${t("tx.transaction")} title=${html`<${Hash} value=${tx.id} length=${10} />`} window=${`${t("tx.transaction")} ${tx.id.slice(0, 10)}`} data=${path}>
      <span class=${`tag ${isConfirmed ? "good" : "warn"}`}>${isConfirmed ? t("tx.confirmed", { n: tx.confirmations }) : t("tx.waiting")}</span>
    <//>
    <${Section} id="says" title=${t("tx.says")}>
      <${Lines} lines=${tx.lines} tip=${isConfirmed ? tx.height + tx.confirmations - 1 : 0} label=${t("tx.says")} />
      <${Facts} rows=${[
        [t("tx.id"), html`<${WholeHash} value=${tx.id} />`, "", true],
        isConfirmed && [t("tx.block"), html`<${Block} height=${tx.height} />, ${t("tx.position", { position: number(tx.position + 1) })}`],
        isConfirmed && [t("tx.time"), html`<${Time} ms=${tx.time_ms} />`],
        [t("tx.size"), bytes(tx.size_bytes)],
        [t("tx.fee"), number(tx.fee)],
        tx.since > 0 && [t("tx.since"), html`<${Block} height=${tx.since} />`],
      ]} />
    <//>
    ${isConfirmed && html`<${Audit} kind="transaction" id=${tx.id} />`}
    <${Section} id="agreed" title=${t("tx.agreed")} note=${t("tx.agreed-note")}>
      <${Agreements} tx=${tx} />
    <//>
    <div class="halves">
      <${Section} id="in" title=${t("tx.in", { n: tx.inputs.length })}><${Inputs} inputs=${tx.inputs} /><//>
      <${Section} id="out" title=${t("tx.out", { n: tx.outputs.length })}><${Outputs} outputs=${tx.outputs} states=${tx.output_states ?? []} /><//>
    </div>
    <${Section} id="raw" title=${t("tx.raw")}>
      <p class="note">${t("tx.raw-note")}</p>
      <details><summary>${t("tx.raw-show", { size: bytes(tx.size_bytes) })}</summary><p class="raw hash">${tx.hex}</p></details>
    <//>`;
}

/** Who had to agree, why, by which signature; and the signatures with what they cover. */
function Agreements({ tx }) {
  const agreements = tx.agreements ?? [];
  const signers = tx.signers ?? [];
  const why = new Map(agreements.map((agreement) => [agreement.id, agreement]));
  return html`<${Table} caption=${t("tx.who-agrees")} rows=${agreements} rowKey=${(agreement) => agreement.id} empty=${t("tx.nobody-asked")} columns=${[
      { head: t("tx.party"), cell: (a) => html`<${Party} party=${a.party} own />` },
      { head: t("tx.role"), cell: (a) => t(`role.${a.role}`) },
      { head: t("tx.why"), cell: (a) => html`<ul class="plain">${reasons(tx, a).map((reason) => html`<li>${reason}</li>`)}</ul>` },
      { head: t("tx.agreed-short"), cell: (a) => html`<span class=${`tag ${a.satisfied ? "good" : "warn"}`}>${t(a.satisfied ? "tx.yes" : "tx.no")}</span>` },
    ]} />
    <h3 class="apart">${t("tx.signatures", { n: signers.length })}</h3>
    <p class="note">${t("tx.covers-all")} <span class="hash">${tx.digest ?? tx.id}</span></p>
    <ul class="signers">${signers.map((signer) => html`<li>
      <p><${Party} party=${signer.party} own /> <span class="faint">· ${t("tx.key")} <${Hash} value=${signer.key} /></span></p>
      <p class="hash faint clip" title=${signer.signature}>${signer.signature}</p>
      <p>${t("tx.covers")} ${signer.covers.map((id) => why.get(id)).filter(Boolean).map((a, i) => html`${i > 0 && "; "}${reasons(tx, a).map((reason, j) => html`${j > 0 && ", "}${reason}`)}`)}</p>
    </li>`)}</ul>`;
}

function Inputs({ inputs }) {
  const columns = [
    { head: t("tx.amount"), cell: ({ output }) => html`<${AmountOf} value=${output.amount} />${output.kind === "right" && html` <span class="tag">${t("tx.right")}</span>`}` },
    { head: t("tx.was-of"), cell: ({ output }) => html`<${Holders} output=${output} />` },
    { head: t("tx.made-in"), cell: (input) => html`<${Transaction} id=${input.source} length=${6} />:${input.index}` },
  ];
  return html`<${Table} columns=${columns} rows=${inputs} caption=${t("tx.in", { n: inputs.length })} empty=${t("tx.nothing-in")} />`;
}

function Outputs({ outputs, states }) {
  const rows = outputs.map((output, i) => ({ output, state: states[i], i }));
  const columns = [
    { head: t("tx.amount"), cell: ({ output }) => html`<${AmountOf} value=${output.amount} />${output.kind === "right" && html` <span class="tag">${t("tx.right")}</span>`}` },
    { head: t("tx.is-of"), cell: ({ output }) => html`<${Holders} output=${output} />` },
    { head: t("tx.now"), cell: ({ state }) => state ? html`<span class=${`tag ${state === "unspent" ? "good" : ""}`}>${t(`output.${state}`)}</span>` : "–" },
  ];
  return html`<${Table} columns=${columns} rows=${rows} caption=${t("tx.out", { n: outputs.length })} empty=${t("tx.nothing-out")} />`;
}

function Holders({ output }) {
  return html`<${Condition} form=${output.owner} />${output.custodian && JSON.stringify(output.custodian) !== JSON.stringify(output.owner) && html`<br /><span class="faint">${say("tx.held-by", { who: html`<${Condition} form=${output.custodian} />` })}</span>`}`;
}
