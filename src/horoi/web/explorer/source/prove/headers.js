// Runs of headers (ledger/proof/run.py): links, puzzles, times, and with the genesis the targets that ASERT asks for.

import { hex, numberOf, same, tagged, unhex } from "./bytes.js";
import { need } from "./broken.js";
import { decode } from "./msgpack.js";
import { bytes, record, whole } from "./shapes.js";

const MEDIAN_SPAN = 11; // BIP 113
const nameOf = tagged("horoi/block");

/** The target of a compact form (Bitcoin's nBits), or null. */
export function expand(compact) {
  const exponent = compact >>> 24;
  const mantissa = BigInt(compact & 0xffffff);
  if (mantissa & 0x800000n) return null;
  const target = exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
  return target > 0n && target < 1n << 256n ? target : null;
}

function compactOf(target) {
  const size = Math.ceil(target.toString(2).length / 8);
  let mantissa = size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3));
  let exponent = size;
  if (mantissa & 0x800000n) {
    mantissa >>= 8n;
    exponent += 1;
  }
  return exponent * 0x1000000 + Number(mantissa);
}

export const workOf = (compact) => (1n << 256n) / (expand(compact) + 1n);

const MAX_SIZE_BYTES = 160;
const headerShape = record({
  height: whole(0, 2 ** 32 - 1),
  parent: bytes(32),
  contentRoot: bytes(32),
  stateRoot: bytes(32),
  timeMs: whole(0, 2 ** 53),
  target: whole(0, 2 ** 32 - 1),
  nonce: bytes(8),
});

/** A header from its bytes in hexadecimal, with its name. `n`: the height that it should have, if that is known. */
export function readHeader(text, n) {
  try {
    const encoded = unhex(text);
    if (encoded.length > MAX_SIZE_BYTES) throw new RangeError(`${encoded.length} bytes`);
    return { ...headerShape(decode(encoded)), bytes: encoded, name: nameOf(encoded) };
  } catch (error) {
    return need(false, "header", `not the bytes of a header: ${error.message}`, n === undefined ? {} : { n });
  }
}

export function checkPuzzle(header) {
  const target = expand(header.target);
  need(target !== null && numberOf(header.name) <= target, "puzzle", `${hex(header.name)} is over its target`, { n: header.height });
}

/** Checked runs of headers from their hexadecimal texts. */
export function readRuns(texts, network, genesis) {
  const runs = [];
  for (const run of texts) {
    const headers = [];
    for (const text of run) headers.push(readHeader(text, headers.length ? headers.at(-1).height + 1 : undefined));
    const before = runs.at(-1)?.at(-1);
    need(!before || headers[0].height > before.height + 1, "header", "runs of headers stand in order and do not touch", { n: headers[0].height });
    checkRun(headers, network, genesis);
    runs.push(headers);
  }
  return runs;
}

export function checkRun(headers, network, genesis) {
  headers.forEach((header, i) => {
    const height = headers[0].height + i;
    const isLinked = !i || (header.height === height && same(header.parent, headers[i - 1].name));
    need(isLinked, "header", `header ${height} does not link to header ${height - 1}`, { n: height });
    if (header.height === 0) {
      need(same(header.parent, network), "network", "header 0 is not of the network that the proof names");
      need(!genesis || same(header.name, genesis.first), "header", "is not the first block of the genesis given", { n: 0 });
      return;
    }
    checkPuzzle(header);
    if (genesis) need(expand(header.target) <= expand(genesis.easiestTarget), "target", "easier than this network allows", { n: height });
    checkTime(headers, i);
  });
  if (genesis && headers[0].height <= 1) checkTargets(headers, genesis);
}

/** The median of the times of the eleven headers before number `i`, of as many as are given. */
export function medianBefore(headers, i) {
  const times = headers.slice(Math.max(0, i - MEDIAN_SPAN), i).map((header) => header.timeMs).sort((a, b) => a - b);
  return times[times.length >> 1];
}

function checkTime(headers, i) {
  if (i < Math.min(MEDIAN_SPAN, headers[i].height)) return; // not the whole window is given
  need(headers[i].timeMs > medianBefore(headers, i), "time", "not after the median time past", { n: headers[i].height });
}

function checkTargets(headers, genesis) {
  const chain = headers[0].height ? headers : headers.slice(1);
  if (chain.length) need(same(chain[0].parent, genesis.first), "header", "does not link to the first block of the genesis given", { n: 1 });
  chain.forEach((header, i) => {
    const wanted = i ? asert(genesis, chain[i - 1].timeMs - chain[0].timeMs, header.height - 1) : genesis.firstTarget;
    need(header.target === wanted, "target", `${header.target.toString(16)}, ASERT asks for ${wanted.toString(16)}`, { n: header.height });
  });
}

/** aserti3-2d (consensus/nakamoto/asert.py). */
function asert(genesis, elapsedMs, parentHeight) {
  const behind = BigInt(elapsedMs) - BigInt(genesis.intervalMs) * BigInt(parentHeight - 1);
  const size = ((behind < 0n ? -behind : behind) << 16n) / BigInt(genesis.halfLifeMs);
  const exponent = behind < 0n ? -size : size;
  const shifts = exponent >> 16n;
  const x = exponent & 0xffffn;
  const factor = 65536n + ((195766423245049n * x + 971821376n * x ** 2n + 5127n * x ** 3n + (1n << 47n)) >> 48n);
  const most = (1n << 256n) - 1n;
  let target = shifts > 256n ? most : expand(genesis.firstTarget) * factor;
  if (shifts <= 256n) target = (shifts >= 0n ? target << shifts : target >> -shifts) >> 16n;
  if (target > most) target = most;
  const wanted = compactOf(target || 1n);
  return expand(wanted) <= expand(genesis.easiestTarget) ? wanted : genesis.easiestTarget;
}

export const workFrom = (headers, height) => headers.filter((h) => h.height >= height && h.height > 0).reduce((sum, h) => sum + workOf(h.target), 0n);
