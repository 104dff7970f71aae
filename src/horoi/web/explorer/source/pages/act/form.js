// A form of one verb. It says beside each field what is wrong with it; nothing is signed here: the next step shows what would be.

import { act } from "../../api.js";
import { useData } from "../../data.js";
import { html, useId, useState } from "../../html.js";
import { bytes, number, t } from "../../lang.js";
import { useNames } from "../../names.js";
import { Instead } from "../../parts/page.js";
import { wrongAmount } from "./amounts.js";

const MOST_FILE_BYTES = 16_000_000; // what POST /v1/documents takes
const MOST_TEXT = 2_000; // of a post, as the ledger has it
const MOST_LINE = 64;

export function Form({ verb, values: before, own, holdings, rights, done }) {
  const [values, setValues] = useState(() => ({ ...Object.fromEntries(verb.fields.filter((f) => f.kind === "check").map((f) => [f.name, f.checked ?? false])), ...before }));
  const [wrongs, setWrongs] = useState({});
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const names = useNames();
  const all = useData(verb.fields.some((field) => field.of === "any") ? "/v1/assets?limit=1000" : null);
  const choices = choicesOf({ verb, holdings, rights, assets: all.data?.assets ?? [] });
  const chosen = choices.find((choice) => choice.id === values.asset);
  const details = useData(chosen && `/v1/assets/${chosen.id}`);
  const decimals = verb.name === "define" ? Number(values.decimals || 0) : details.data?.asset.decimals ?? 0;
  const set = (name, value) => {
    setValues((now) => ({ ...now, [name]: value }));
    setWrongs((now) => ({ ...now, [name]: "" }));
  };

  const review = async (event) => {
    event.preventDefault();
    const resolved = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? value.trim() : value]));
    for (const field of verb.fields) if (field.kind === "party" && values[field.name]) resolved[field.name] = addressOf(values[field.name], names);
    const found = wrongsOf({ verb, values: resolved, chosen, decimals });
    setWrongs(found);
    const first = verb.fields.find((field) => found[field.name]);
    if (found.whole) return undefined;
    if (first) return document.querySelector(`[data-field="${first.name}"]`)?.focus();
    setBusy(true);
    setProblem(null);
    try {
      if (resolved.file) resolved.document = (await act("/v1/documents", resolved.file, { type: "application/octet-stream" })).hash;
      const answer = await act(`/v1/wallet/${verb.name}?submit=false`, verb.body(resolved));
      done(values, answer);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
    return undefined;
  };

  return html`<form class="stack" onSubmit=${review} novalidate>
    ${verb.fields.map((field) => html`<${Field} key=${field.name} ...${{ verb, field, choices, chosen, names, own }} value=${values[field.name]} wrong=${wrongs[field.name]} set=${set} />`)}
    ${wrongs.whole && html`<p class="wrong" role="alert">${wrongs.whole}</p>`}
    <div><button class="main" disabled=${isBusy || details.isLoading /* without its decimals an amount cannot be judged */}>${t("act.review")}</button></div>
    ${problem && html`<${Instead} problem=${problem} />`}
  </form>`;
}

/** What may be chosen as the asset: {id, name, unit, available}. */
function choicesOf({ verb, holdings, rights, assets }) {
  const { of } = verb.fields.find((field) => field.kind === "asset") ?? {};
  const label = (amount) => ({ id: amount.asset, name: amount.name ?? amount.asset.slice(0, 12), unit: amount.unit ?? "", available: amount.amount });
  if (of === "rights") return rights.filter((row) => row.output.recipes.length === 0).map((row) => label(row.output.amount));
  if (of === "any") return assets.map((asset) => ({ id: asset.id, name: asset.name, unit: asset.unit, available: null }));
  return holdings.map((sum) => label(sum.owned)).filter((choice) => /[1-9]/.test(choice.available ?? "1"));
}

/** An address for a name of the node's book, else the text itself. */
function addressOf(text, names) {
  const wanted = text.trim();
  for (const entry of names?.values() ?? []) if (entry.name === wanted) return entry.address;
  return wanted;
}

function wrongsOf({ verb, values, chosen, decimals }) {
  const found = {};
  for (const field of verb.fields) {
    const value = values[field.name] ?? "";
    if (field.kind === "amount") found[field.name] = wrongAmount(value, { decimals, available: chosen?.available ?? null, unit: chosen?.unit });
    else if (!value && !field.optional && !["check", "count"].includes(field.kind)) found[field.name] = t("wrong.empty");
    else if (field.kind === "count" && !(Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= field.most)) found[field.name] = t("wrong.count", { most: field.most });
    else if (field.kind === "moment" && value && !(new Date(value).getTime() > Date.now())) found[field.name] = t("wrong.past");
    else if (field.kind === "file" && values.file?.size > MOST_FILE_BYTES) found[field.name] = t("wrong.file", { most: bytes(MOST_FILE_BYTES) });
  }
  if (verb.needs && !verb.needs({ ...values, document: values.file })) found.whole = t("wrong.nothing-said");
  return found;
}

function Field({ verb, field, value, wrong, set, choices, chosen, names }) {
  const id = useId();
  const label = t(`field.${field.name}`);
  const common = { id, "data-field": field.name, "aria-invalid": Boolean(wrong), "aria-describedby": `${id}-wrong ${id}-hint`, required: !field.optional };
  const typed = (event) => set(field.name, event.target.value);
  if (field.kind === "check") return html`<label class="check"><input type="checkbox" checked=${value} onChange=${(event) => set(field.name, event.target.checked)} /> ${label}</label>`;
  const controls = {
    asset: () => html`<select ...${common} value=${value ?? ""} onChange=${typed}><option value="">${field.optional ? t("field.none") : t("field.choose")}</option>${choices.map((choice) => html`<option value=${choice.id}>${`${choice.name.slice(0, 48)} · ${choice.id.slice(0, 8)}`}</option>`)}</select>`,
    amount: () => html`<span class="with-unit"><input ...${common} value=${value ?? ""} onInput=${typed} inputmode="decimal" autocomplete="off" maxlength="64" />${verb.name !== "define" && chosen?.unit ? html`<span>${chosen.unit.slice(0, 16)}</span>` : ""}</span>`,
    party: () => html`<input ...${common} value=${value ?? ""} onInput=${typed} list=${`${id}-names`} autocomplete="off" spellcheck=${false} maxlength="200" /><datalist id=${`${id}-names`}>${[...new Set([...(names?.values() ?? [])])].map((entry) => html`<option value=${entry.name}>${entry.address}</option>`)}</datalist>`,
    text: () => html`<textarea ...${common} rows="4" maxlength=${MOST_TEXT} onInput=${typed} value=${value ?? ""}></textarea>`,
    line: () => html`<input ...${common} value=${value ?? ""} onInput=${typed} maxlength=${field.most ?? MOST_LINE} autocomplete="off" />`,
    count: () => html`<input ...${common} type="number" min="0" max=${field.most} value=${value ?? "0"} onInput=${typed} />`,
    moment: () => html`<input ...${common} type="datetime-local" value=${value ?? ""} onInput=${typed} />`,
    file: () => html`<input ...${common} type="file" onChange=${(event) => set("file", event.target.files[0] ?? null)} />`,
  };
  const hint = field.kind === "amount" && chosen?.available ? t("field.available", { amount: `${number(chosen.available)} ${chosen.unit.slice(0, 16)}`.trim() }) : field.kind === "party" ? t("field.party-hint") : field.kind === "file" ? t("field.file-hint", { most: bytes(MOST_FILE_BYTES) }) : "";
  return html`<div class="field">
    <label for=${id}>${label}${field.optional && html` <span class="faint">${t("field.optional")}</span>`}</label>
    ${controls[field.kind]()}
    <p id=${`${id}-hint`} class="hint">${hint}</p>
    <p id=${`${id}-wrong`} class="wrong" role="alert">${wrong}</p>
  </div>`;
}
