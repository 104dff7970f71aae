// The Audit button: what a page shows is fetched again as bytes, parsed and checked here: hashes, links, puzzles, paths,
// signatures, and that everybody signed who had to. The node that served the page is believed in nothing; that it shows the
// heaviest chain, it cannot prove alone.
//
//   audit({ kind: "transaction" | "block" | "asset" | "post", id }) -> { ok, steps }
//   a step: { name, words }, or the last one { broken: { name, values, detail } }

import { get, url } from "../api.js";
import { t } from "../lang.js";
import "../words/prove.js";

const SIGNATURES_AT_ONCE = 25; // about 50 ms: the page stays alive between
const HEADERS_ON_TOP = 100;
const HEADERS_BEFORE = 11; // whose median is the time that locks are judged by (BIP 113)
const LISTED = 1000; // transactions of a block that the node lists at once

export async function audit({ kind, id, position = 0 }) {
  const steps = [];
  const say = (name, words) => steps.push({ name, words });
  const tools = await import("./tools.js");
  try {
    const genesis = tools.readGenesis(await textOf("/v1/genesis"));
    say("network", t("prove.held.network", { network: tools.hex(genesis.network) }));
    if (kind === "block") await auditBlock(tools, genesis, id, say);
    else await auditRecord(tools, genesis, kind, id, position, say);
    return { ok: true, steps };
  } catch (error) {
    if (!(error instanceof tools.Broken)) throw error;
    steps.push({ broken: { name: error.link, values: error.values, detail: error.message } });
    return { ok: false, steps };
  }
}

async function bytesOf(path) {
  const answer = await fetch(path, { credentials: "omit", redirect: "error" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

const textOf = async (path) => new TextDecoder().decode(await bytesOf(path));

// ---- a transaction, a post, an asset: its proof, and that the page shows what is proven --------------------------

async function auditRecord({ Broken, need, hex, verifyProof }, genesis, kind, id, position, say) {
  const file = await bytesOf(url(`/v1/proofs/${kind}/${encodeURIComponent(id)}`, { number: position }));
  const result = verifyProof(file, { genesis });
  for (const { name, values } of result.links) say(name, t(`prove.held.${name}`, values));
  if (!result.ok) throw new Broken(result.broken.name, result.broken.detail, result.broken.values);
  const { found } = result;
  const { claim } = found.proof;
  need(claim.kind === kind && claim.id === id, "shown", `${claim.kind} ${claim.id}`);
  const shown = await get(`/v1/transactions/${encodeURIComponent(found.id)}`);
  need(shown.hex === found.proof.records[0].transaction && shown.id === found.id, "shown", "bytes");
  need(shown.block === found.block && shown.height === found.height && shown.time_ms === found.timeMs, "shown", "block");
  need(shown.signatures.map((one) => one.key).join() === found.signers.join(), "shown", "signers");
  need(shown.outputs.map((one) => one.content).join() === found.record.outputs.map(hex).join(), "shown", "outputs");
  say("shown", t("prove.held.shown"));
  say("work", t("prove.held.work", { n: found.blocksOnTop, work: String(found.workOnTop) }));
}

// ---- a block: everything in it, and what is on top ----------------------------------------------------------------

async function auditBlock(tools, genesis, id, say) {
  const { need, hex, same, readHeader, checkRun, medianBefore, workFrom } = tools;
  const shown = await get(url(`/v1/blocks/${encodeURIComponent(id)}`, { limit: LISTED }));
  const bytes = await bytesOf(`/v1/blocks/${encodeURIComponent(shown.header.hash)}?format=raw`);
  const [headerBytes, rewardBytes, transactionBytes] = tools.split(bytes);
  const header = readHeader(hex(headerBytes));
  need(hex(header.name) === shown.header.hash && hex(headerBytes) === shown.header.hex, "shown", "header");
  const first = Math.max(0, header.height - HEADERS_BEFORE);
  const told = await get(url("/v1/headers", { from: first, count: header.height - first + HEADERS_ON_TOP }));
  const run = told.headers.map((one) => readHeader(one.hex));
  const at = run.findIndex((one) => same(one.name, header.name));
  need(at === header.height - first, "header", "not on the chain that the node follows", { n: header.height });
  checkRun(run, genesis.network, genesis);
  say("headers", t("prove.held.headers", { n: run.length }));
  const records = [tools.readReward(rewardBytes, genesis.network, header.height)];
  for (const part of tools.split(transactionBytes)) records.push(tools.readTransaction(part, genesis.network));
  need(same(rootOfRecords(tools, records), header.contentRoot), "merkle", `the content does not lead to ${hex(header.contentRoot)}`);
  say("merkle", t("prove.held.merkle", { n: records.length }));
  const signatures = await checkAll(tools, records, { height: header.height, timeMs: medianBefore(run, at) });
  say("signatures", t("prove.held.signatures", { n: signatures }));
  say("rules", t("prove.held.rules", { n: records.length - 1 }));
  const ids = records.slice(1).map((record) => hex(record.id));
  const listed = ids.slice(0, LISTED);
  need(shown.transaction_count === ids.length && shown.transactions.join() === listed.join(), "shown", "transactions");
  say("shown", t("prove.held.shown"));
  say("work", t("prove.held.work", { n: run.length - 1 - at, work: String(workFrom(run, header.height)) }));
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

/** The number of signatures, all of which are valid and from everybody who had to agree. */
async function checkAll({ checkAgreed, checkSignatures }, records, place) {
  let done = 0;
  for (const record of records) {
    checkSignatures(record);
    checkAgreed(record, place);
    const before = done;
    done += record.signers.length;
    if (Math.floor(done / SIGNATURES_AT_ONCE) > Math.floor(before / SIGNATURES_AT_ONCE)) await new Promise((resolve) => setTimeout(resolve));
  }
  return done;
}
