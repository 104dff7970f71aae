// A genesis file (ledger/genesis.py): the network's id is the hash of its one byte form; its first block follows from it.

import { big, join, tagged, unhex } from "./bytes.js";
import { need } from "./broken.js";
import { leafHash, rootOf } from "./merkle.js";
import { encode } from "./msgpack.js";

const CHUNK_SIZE_BYTES = 256;
const CONSENSUS = ["interval_ms", "half_life_ms", "future_limit", "maturity", "first_target", "easiest_target"];

/** JSON whose numbers over 2^53 stay exact, as BigInts. */
export function parseExactly(source) {
  const marked = source.replace(/("(?:[^"\\]|\\.)*")|(-?\d{16,})/g, (whole, string, digits) => (digits ? `"\u0000${digits}"` : string));
  return JSON.parse(marked, (_, value) => (typeof value === "string" && value.startsWith("\u0000") ? BigInt(value.slice(1)) : value));
}

/** In issuers and grants every string is bytes. */
function unhexAll(value) {
  if (typeof value === "string") return unhex(value);
  return Array.isArray(value) ? value.map(unhexAll) : value;
}

export function readGenesis(source) {
  let form;
  let record;
  try {
    form = parseExactly(source);
    const rules = form.consensus;
    const consensus = ["nakamoto", ...CONSENSUS.map((name) => rules[name]), [rules.reward.initial, rules.reward.halving_blocks]];
    const grants = unhexAll(form.grants);
    record = [form.name, form.created_ms, consensus, form.fee_floor, form.max_block_size_bytes, unhexAll(form.issuers), grants];
  } catch (error) {
    need(false, "genesis", error.message);
  }
  need(form.horoi_genesis === 1, "genesis", "not a genesis file of a form that is known here");
  const network = tagged("horoi/network")(encode(record));
  const rules = form.consensus;
  return {
    name: form.name,
    network,
    first: firstBlock(network, form, record.at(-1)),
    intervalMs: rules.interval_ms,
    halfLifeMs: rules.half_life_ms,
    firstTarget: rules.first_target,
    easiestTarget: rules.easiest_target,
  };
}

export const stateRoot = (count, chunksRoot) => tagged("horoi/bitfield")(join(big(count, 8), chunksRoot));

export const rewardId = (network, height, encoded) => tagged("horoi/reward")(join(network, big(height, 4), encoded));

/** The name of block 0: all grants unspent, no puzzle. */
function firstBlock(network, form, grants) {
  const chunks = [];
  for (let first = 0; first < grants.length; first += CHUNK_SIZE_BYTES * 8) {
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
    for (let i = first; i < Math.min(grants.length, first + CHUNK_SIZE_BYTES * 8); i++) chunk[(i - first) >> 3] |= 1 << (i & 7);
    chunks.push(leafHash(chunk));
  }
  const content = leafHash(join(big(0, 8), rewardId(network, 0, encode(grants))));
  const root = stateRoot(grants.length, rootOf(chunks));
  const header = [0, network, content, root, form.created_ms, form.consensus.first_target, new Uint8Array(8)];
  return tagged("horoi/block")(encode(header));
}
