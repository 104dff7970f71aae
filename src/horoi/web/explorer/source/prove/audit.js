// The Audit button: what a page shows is fetched again as bytes, parsed and checked here: hashes, links, puzzles, paths,
// signatures. The node that served the page is believed in nothing; that it shows the heaviest chain, it cannot prove alone.
//
//   audit({ kind: "transaction" | "block" | "asset" | "post", id }, onStep) -> { ok, steps: [{ name, ok, words }] }

import { get, url } from "../api.js";
import { t } from "../lang.js";
import "../words/prove.js";

const SIGNATURES_AT_ONCE = 25; // about 50 ms: the page stays alive between
const HEADERS_ON_TOP = 100;
const LISTED = 1000; // transactions of a block that the node lists at once

export async function audit({ kind, id, position = 0 }, onStep = () => {}) {
  const steps = [];
  const say = (name, ok, words) => {
    steps.push({ name: t(`prove.link.${name}`), ok, words });
    onStep(steps.at(-1));
  };
  const tools = await import("./tools.js");
  try {
    const genesis = tools.readGenesis(await textOf("/v1/genesis"));
    say("network", true, t("prove.held.network", { network: tools.hex(genesis.network) }));
    if (kind === "block") await auditBlock(tools, genesis, id, say);
    else await auditRecord(tools, genesis, kind, id, position, say);
    return { ok: true, steps };
  } catch (error) {
    if (!(error instanceof tools.Broken)) throw error;
    say(error.link, false, t("prove.broken.words", { detail: error.message }));
    return { ok: false, steps };
  }
}

async function textOf(path) {
  const answer = await fetch(path, { credentials: "omit", redirect: "error" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

async function bytesOf(path) {
  const answer = await fetch(path, { credentials: "omit", redirect: "error" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// ---- a transaction, a post, an asset: its proof, and that the page shows what is proven --------------------------

async function auditRecord({ need, hex, verifyProof }, genesis, kind, id, position, say) {
  const source = await textOf(url(`/v1/proofs/${kind}/${encodeURIComponent(id)}`, { number: position }));
  const result = verifyProof(source, { genesis });
  for (const { name, values } of result.links) say(name, true, t(`prove.held.${name}`, values));
  if (!result.ok) {
    say(result.broken.name, false, t("prove.broken.words", { detail: result.broken.detail }));
    need(false, "shown", t("prove.shown.unknown"));
  }
  const { found } = result;
  const { claim } = found.proof;
  need(claim.kind === kind && claim.id === id, "shown", `${claim.kind} ${claim.id}`);
  const shown = await get(`/v1/transactions/${encodeURIComponent(found.id)}`);
  need(shown.hex === found.proof.records[0].transaction && shown.id === found.id, "shown", "bytes");
  need(shown.block === found.block && shown.height === found.height && shown.time_ms === found.timeMs, "shown", "block");
  need(shown.signatures.map((one) => one.key).join() === found.signers.join(), "shown", "signers");
  need(shown.outputs.map((one) => one.content).join() === found.record.outputs.map(hex).join(), "shown", "outputs");
  say("shown", true, t("prove.held.shown"));
  say("work", true, t("prove.held.work", { n: found.blocksOnTop, work: String(found.workOnTop) }));
}

// ---- a block: everything in it, and what is on top ----------------------------------------------------------------

async function auditBlock(tools, genesis, id, say) {
  const { need, hex, same, readHeader, checkRun, workFrom } = tools;
  const shown = await get(url(`/v1/blocks/${encodeURIComponent(id)}`, { limit: LISTED }));
  const bytes = await bytesOf(`/v1/blocks/${encodeURIComponent(shown.header.hash)}?format=raw`);
  const [headerBytes, rewardBytes, transactionBytes] = tools.split(bytes);
  const header = readHeader(headerBytes);
  need(hex(header.name) === shown.header.hash && hex(headerBytes) === shown.header.hex, "shown", "header");
  const top = await get(url("/v1/headers", { from: header.height, count: HEADERS_ON_TOP }));
  const run = top.headers.map((one) => readHeader(tools.unhex(one.hex)));
  need(run.length && same(run[0].name, header.name), "header", "not on the chain that the node follows", { n: header.height });
  checkRun(run, genesis.network, genesis);
  say("headers", true, t("prove.held.headers", { n: run.length }));
  const records = [tools.readReward(rewardBytes, genesis.network, header.height)];
  for (const part of tools.split(transactionBytes)) records.push(tools.readTransaction(part, genesis.network));
  need(same(rootOfRecords(tools, records), header.contentRoot), "merkle", `the content does not lead to ${hex(header.contentRoot)}`);
  say("merkle", true, t("prove.held.merkle", { n: records.length }));
  const signatures = await checkAll(tools, records);
  say("signatures", true, t("prove.held.signatures", { n: signatures }));
  const ids = records.slice(1).map((record) => hex(record.id));
  const listed = ids.slice(0, LISTED);
  need(shown.transaction_count === ids.length && shown.transactions.join() === listed.join(), "shown", "transactions");
  say("shown", true, t("prove.held.shown"));
  say("work", true, t("prove.held.work", { n: run.length - 1, work: String(workFrom(run, header.height)) }));
}

function rootOfRecords({ contentLeaf, rootOf }, records) {
  let first = 0;
  const leaves = records.map((record) => {
    const leaf = contentLeaf(first, record);
    first += record.outputs.length;
    return leaf;
  });
  return rootOf(leaves);
}

async function checkAll({ checkSignatures }, records) {
  let done = 0;
  for (const record of records) {
    checkSignatures(record);
    const before = done;
    done += record.signers.length;
    if (Math.floor(done / SIGNATURES_AT_ONCE) > Math.floor(before / SIGNATURES_AT_ONCE)) await new Promise((resolve) => setTimeout(resolve));
  }
  return done;
}
