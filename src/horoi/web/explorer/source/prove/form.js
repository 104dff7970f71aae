// The file of a proof (ledger/proof/form.py): JSON in exactly one form, with every part bounded.

import { need } from "./broken.js";
import { list, matching, object, orNull, refuse, text, whole } from "./shapes.js";
import { MAX_REWARD_SIZE_BYTES, MAX_TRANSACTION_SIZE_BYTES } from "./transaction.js";

const MAX_PROOF_SIZE_BYTES = 8_000_000;
const MAX_HEADERS = 10_000;
const MAX_RECORDS = 64;
const MAX_RUNS = MAX_RECORDS + 1;
const MAX_PATH = 64;

const hash = matching(/^[0-9a-f]{64}$/);
const hexBytes = (most) => {
  const isHex = matching(/^([0-9a-f]{2})+$/);
  return (value) => (isHex(value).length <= 2 * most ? value : refuse(`over ${most} bytes`));
};
const height = whole(0, 2 ** 32 - 1);
const count = whole(0, 2 ** 53);
const index = whole(0, 2 ** 16 - 1);
const path = list(hash, MAX_PATH);

const record = object({
  height,
  transaction: orNull(hexBytes(MAX_TRANSACTION_SIZE_BYTES)),
  reward: orNull(hexBytes(MAX_REWARD_SIZE_BYTES)),
  first_output: count,
  path: list(matching(/^[LR][0-9a-f]{64}$/), MAX_PATH),
  before: orNull(object({ count, chunks_root: hash })),
});

const unspent = object({
  height,
  count,
  chunks_root: hash,
  outputs: list(object({ record: whole(0, MAX_RECORDS - 1), index }), MAX_RECORDS, 1),
  chunks: list(object({ number: count, bits: matching(/^[0-9a-f]{512}$/), path }), MAX_RECORDS, 1),
});

const checkpoint = object({
  note: text(0, 8_000),
  keys: list(text(0, 200), 16),
  rungs: list(object({ height, path }), MAX_RUNS, 1),
});

const proofShape = object({
  horoi_proof: whole(1, 1),
  network: hash,
  claim: object({ kind: matching(/^(transaction|post|document|asset|holding)$/), id: hash, number: index }),
  records: list(record, MAX_RECORDS, 1),
  unspent: orNull(unspent),
  headers: list(list(matching(/^[0-9a-f]{1,320}$/), MAX_HEADERS, 1), MAX_RUNS, 1),
  tip: hash,
  checkpoint: orNull(checkpoint),
});

/** The proof in a file's bytes: what JSON.stringify makes of it again, so every key and value stands in its one form. */
export function readForm(file) {
  need(file.length <= MAX_PROOF_SIZE_BYTES, "form", `${file.length} bytes, a proof has at most ${MAX_PROOF_SIZE_BYTES}`);
  let source;
  let proof;
  try {
    source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file);
    proof = proofShape(JSON.parse(source));
  } catch (error) {
    need(false, "form", `not a proof: ${error.message}`);
  }
  const headers = proof.headers.reduce((sum, run) => sum + run.length, 0);
  need(headers <= MAX_HEADERS, "form", `${headers} headers, a proof has at most ${MAX_HEADERS}`);
  need(`${JSON.stringify(proof, null, 2)}\n` === source, "form", "written in another form than the one that every proof has (was it edited?)");
  return proof;
}
