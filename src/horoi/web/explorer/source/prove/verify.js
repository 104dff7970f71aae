// A proof file, link by link, in the reader's own browser (ledger/proof/verify.py): no node is asked and none is believed.
//
//   verifyProof(file, { genesis, witnesses })   its bytes; genesis: from readGenesis; witnesses: key texts, all of which must have signed
//   -> { ok, links: [{ name, values }], broken: null | { name, values, detail }, found: {...}, assumed: [names] }

import { hex, same, unhex } from "./bytes.js";
import { Broken, need } from "./broken.js";
import { readForm } from "./form.js";
import { readRuns, workFrom } from "./headers.js";
import { stateRoot } from "./genesis.js";
import { climb, isIncluded, leafHash } from "./merkle.js";
import { checkCosignatures, readKey, readNote } from "./note.js";
import { assetId, checkAgreed, checkSignatures, contentLeaf, outputOf, readReward, readTransaction } from "./record.js";

const CHUNK_BITS = 2048;

export function verifyProof(source, { genesis = null, witnesses = [] } = {}) {
  const links = [];
  const found = {};
  try {
    const steps = check(source, genesis, witnesses, found);
    for (const [name, values] of steps) links.push({ name, values });
    return { ok: true, links, broken: null, found, assumed: assumedOf(found) };
  } catch (error) {
    const broken = error instanceof Broken ? { name: error.link, values: error.values, detail: error.message } : { name: "form", values: {}, detail: String(error.message ?? error) };
    return { ok: false, links, broken, found: {}, assumed: [] };
  }
}

function* check(source, genesis, witnesses, found) {
  const proof = readForm(source);
  yield ["form", {}];
  const network = unhex(proof.network);
  need(!genesis || same(genesis.network, network), "network", `the proof is of network ${proof.network}, not of the genesis given`);
  yield ["network", { network: proof.network }];
  const runs = readRuns(proof.headers, network, genesis);
  const tip = runs.at(-1).at(-1);
  need(hex(tip.name) === proof.tip, "tip", `the last header is ${hex(tip.name)}`);
  yield ["headers", { n: runs.reduce((sum, run) => sum + run.length, 0) }];
  const records = proof.records.map((part) => checkRecord(part, network, runs));
  yield ["merkle", { n: records.length }];
  yield ["signatures", { n: records.reduce((sum, record) => sum + record.signers.length, 0) }];
  const transactions = records.filter((record) => record.body);
  if (transactions.length) yield ["rules", { n: transactions.length }];
  checkClaim(proof, records);
  yield ["claim", { kind: proof.claim.kind, id: proof.claim.id }];
  if (proof.unspent) {
    checkUnspent(proof, records, runs);
    yield ["bits", { n: proof.unspent.outputs.length, height: proof.unspent.height }];
  }
  checkNeeded(proof, runs);
  need(!witnesses.length || proof.checkpoint, "cosignature", "the proof carries no checkpoint", { who: witnesses[0]?.split("+")[0] });
  const signed = proof.checkpoint ? checkAnchor(proof, network, runs, witnesses) : null;
  if (signed) yield ["checkpoint", { n: signed.signed.length, size: signed.size }];
  Object.assign(found, summary(proof, records, runs, genesis, signed, witnesses));
}

function runWith(runs, height, link) {
  const run = runs.find((one) => one[0].height <= height && height <= one.at(-1).height);
  need(run, link, `no header of height ${height} is given`);
  return run;
}

const headerAt = (runs, height, link) => {
  const run = runWith(runs, height, link);
  return run[height - run[0].height];
};

/** A record in its block, signed by everybody who had to agree. The block's own time stands for the median before it, which it is always after. */
function checkRecord(part, network, runs) {
  const header = headerAt(runs, part.height, "record");
  need((part.transaction === null) !== (part.reward === null), "form", "a record is a transaction or a reward");
  const record = part.transaction !== null ? readTransaction(unhex(part.transaction), network) : readReward(unhex(part.reward), network, part.height);
  const root = climb(contentLeaf(part.first_output, record), part.path);
  need(same(root, header.contentRoot), "merkle", `the path leads to ${hex(root)}, not to block ${part.height}`);
  checkSignatures(record);
  checkAgreed(record, header);
  return { ...record, part, header };
}

function checkClaim(proof, records) {
  const { kind, id, number } = proof.claim;
  const [first] = records;
  const { posts = [], definitions = [] } = first.body ?? {};
  const that = (holds, detail) => need(holds, "claim", detail);
  need(new Set(records.map((record) => hex(record.id))).size === records.length, "form", "a record is given twice");
  if (kind === "transaction" || kind === "post" || kind === "holding") that(hex(first.id) === id, `it is of ${id}, the record is ${hex(first.id)}`);
  if (kind === "transaction") that(number === 0, "a transaction has no number");
  else if (kind === "post") that(number < posts.length, `there is no post ${number}`);
  else if (kind === "document") that(posts.findIndex((post) => post.document === id) === number, "the post is not the first that names the document");
  else if (kind === "asset") that(number < definitions.length && assetId(first.id, number) === id, "the asset is not defined there");
  if (kind !== "asset" && kind !== "holding") that(records.length === 1 && proof.unspent === null, "one record and no bits");
  else checkHoldings(proof, records);
}

function checkHoldings(proof, records) {
  const outputs = proof.unspent?.outputs ?? [];
  const that = (holds, detail) => need(holds, "claim", detail);
  for (const { record, index } of outputs) {
    const bytes = records[record]?.outputs[index];
    if (bytes && proof.claim.kind === "asset") that(outputOf(bytes).asset === proof.claim.id, "an output of another asset");
  }
  if (proof.claim.kind === "holding") that(records.length === 1 && outputs.length === 1 && outputs[0].record === 0 && outputs[0].index === proof.claim.number, "its one output and the bit of it");
  that(new Set([0, ...outputs.map((output) => output.record)]).size === records.length, "a record is given that nothing needs");
}

function checkStateRoot(runs, height, count, chunksRoot) {
  const header = headerAt(runs, height, "stateheader");
  need(same(stateRoot(count, unhex(chunksRoot)), header.stateRoot), "state", `it does not commit to ${count} bits`, { n: height });
}

function checkUnspent(proof, records, runs) {
  const part = proof.unspent;
  checkStateRoot(runs, part.height, part.count, part.chunks_root);
  const size = Math.ceil(part.count / CHUNK_BITS);
  const chunks = new Map();
  for (const { number, bits, path } of part.chunks) {
    const bytes = unhex(bits);
    need(isIncluded(leafHash(bytes), number, size, path, unhex(part.chunks_root)), "bitpath", "the bits do not lead to the root of the state");
    need(!chunks.has(number), "form", "a chunk is given twice");
    chunks.set(number, bytes);
  }
  const seen = new Set();
  for (const { record, index } of part.outputs) {
    const item = records[record];
    need(item && index < item.outputs.length && item.part.height <= part.height, "holding", "no such output");
    const number = bitsBefore(item.part, runs) + item.part.first_output + index;
    const chunk = chunks.get(Math.floor(number / CHUNK_BITS));
    need(chunk && number < part.count && !seen.has(number), "holding", "its bit is not in the chunks given");
    seen.add(number);
    need(chunk[(number % CHUNK_BITS) >> 3] & (1 << (number % 8)), "spent", `spent as of block ${part.height}`, { n: part.height });
  }
  need(new Set([...seen].map((number) => Math.floor(number / CHUNK_BITS))).size === chunks.size, "form", "a chunk is given that no output needs");
}

function bitsBefore(part, runs) {
  if (part.height === 0) {
    need(part.before === null, "form", "nothing was before block 0");
    return 0;
  }
  need(part.before, "holding", "the number of bits before its block is not given");
  checkStateRoot(runs, part.height - 1, part.before.count, part.before.chunks_root);
  return part.before.count;
}

const heightsOf = (proof) => [...proof.records.map((record) => record.height), ...(proof.unspent ? [proof.unspent.height] : [])];

function checkNeeded(proof, runs) {
  const shown = new Set(proof.unspent?.outputs.map((output) => output.record));
  proof.records.forEach((record, i) => need(record.before === null || shown.has(i), "form", "a number of bits that nothing needs"));
  const heights = heightsOf(proof);
  for (const run of runs) need(heights.some((height) => run[0].height <= height && height <= run.at(-1).height), "form", "headers that belong to nothing");
}

function checkAnchor(proof, network, runs, witnesses) {
  const { note, keys, rungs } = proof.checkpoint;
  const read = readNote(note);
  const readKeys = keys.map(readKey);
  need(same(read.network, network), "checkpoint", "it is of another network");
  const signed = checkCosignatures(read, readKeys);
  need(rungs.length === runs.length, "checkpoint", "not one path for each run of headers");
  rungs.forEach((rung, i) => {
    const run = runs[i];
    const header = run[rung.height - run[0].height];
    need(header && isIncluded(leafHash(header.bytes), rung.height, read.size, rung.path, read.root), "rung", `header ${rung.height} is not shown to be under its root`);
    const above = heightsOf(proof).find((height) => rung.height < height && height <= run.at(-1).height);
    need(above === undefined, "rung", `it does not vouch for header ${above}`);
  });
  for (const witness of witnesses) need(signed.some((one) => one.key === witness), "cosignature", "this witness did not sign the checkpoint", { who: witness.split("+")[0] });
  return { size: read.size, signed };
}

function summary(proof, records, runs, genesis, signed, witnesses) {
  const [first] = records;
  const run = runWith(runs, first.part.height, "record");
  const state = proof.unspent ? workFrom(runWith(runs, proof.unspent.height, "stateheader"), proof.unspent.height) : null;
  const definition = proof.claim.kind === "asset" ? first.body.definitions[proof.claim.number] : null;
  return {
    proof,
    record: first,
    id: hex(first.id),
    height: first.part.height,
    block: hex(first.header.name),
    timeMs: first.header.timeMs,
    signers: first.signers,
    post: proof.claim.kind === "post" || proof.claim.kind === "document" ? first.body.posts[proof.claim.number].text : null,
    definition,
    spends: records.some((record) => record.body?.inputs.length),
    blocksOnTop: run.at(-1).height - first.part.height,
    workOnTop: workFrom(run, first.part.height),
    workOnState: state,
    unspentHeight: proof.unspent?.height ?? null,
    unspent: (proof.unspent?.outputs ?? []).map(({ record, index }) => ({ id: hex(records[record].id), index, ...outputOf(records[record].outputs[index]) })),
    isWhole: Boolean(genesis) && runs.length === 1 && run[0].height <= 1,
    hasGenesis: Boolean(genesis),
    runs: runs.length,
    checkpoint: signed,
    isWitnessed: witnesses.length > 0,
  };
}

/** What no byte can show, by name (words: prove.assumed.NAME). */
function assumedOf(found) {
  const assumed = [];
  if (!found.hasGenesis) assumed.push("network");
  if (found.isWitnessed) assumed.push("witness");
  else assumed.push(found.isWhole ? "heaviest" : "work");
  if (found.runs > 1 && !found.isWitnessed) assumed.push("runs");
  if (found.spends) assumed.push("spent");
  assumed.push("times");
  return assumed;
}
