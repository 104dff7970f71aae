// Cosigned checkpoints (ledger/checkpoint.py): C2SP signed notes with timestamped Ed25519 cosignatures.

import { ed25519 } from "@noble/curves/ed25519.js";
import { hex, join, numberOf, same, sha256, text, unhex } from "./bytes.js";
import { need } from "./broken.js";

const TYPE = 4; // C2SP signed-note: timestamped Ed25519 witness cosignatures
const MAX_SIGNATURES = 16;
const MAX_NOTE_SIZE_BYTES = 8_000;
const MAX_TIME_S = 2n ** 63n - 1n;
const NAME = /^[^\p{C}\p{Z}\s+]{1,100}$/u;

const that = (holds, detail) => need(holds, "checkpoint", detail);

function unbase64(value, what) {
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  } catch {
    bytes = null;
  }
  that(bytes !== null && btoa(String.fromCharCode(...bytes)) === value, `${what}: not base64 in its one form`);
  return bytes;
}

/** A witness's key: name+key id+base64. */
export function readKey(value) {
  const [name, id, ...rest] = value.split("+");
  const data = unbase64(rest.join("+"), "key");
  that(NAME.test(name) && data.length === 33 && data[0] === TYPE, "not a witness's key");
  that(mayBeKey(data.slice(1)), `${name}: no Ed25519 key that a secret belongs to`);
  const keyId = sha256(join(text(`${name}\n`), data)).slice(0, 4);
  that(hex(keyId) === id, `the key id of ${name} is ${hex(keyId)}`);
  return { name, keyId, public: data.slice(1), text: value };
}

/** False for points of small order and second spellings of a point: they need no secret (base/ed25519.py). */
function mayBeKey(key) {
  const { p, d } = ed25519.Point.CURVE();
  const y = numberOf(key.slice().reverse()) & (2n ** 255n - 1n);
  return y > 1n && y < p - 1n && (d * y ** 4n + 2n * y * y - 1n) % p !== 0n;
}

/** What a note says and by whom it claims to be signed; no signature is checked yet. */
export function readNote(note) {
  const end = note.indexOf("\n\n") + 1;
  const [body, rest] = [note.slice(0, end), note.slice(end + 1)];
  const [origin, size, root, ...more] = body.split("\n");
  that(end && more.length === 1 && text(note).length <= MAX_NOTE_SIZE_BYTES, "not three lines, an empty one, then signatures");
  that(/^horoi\/[0-9a-f]{64}$/.test(origin) && /^[1-9][0-9]{0,9}$/.test(size), "not a network's id and a number of headers");
  const rootBytes = unbase64(root, "root");
  that(rootBytes.length === 32, "a root of another length");
  that(!rest || rest.endsWith("\n"), "the last line does not end");
  const signatures = rest.split("\n").slice(0, -1).map(readSignature);
  that(signatures.length <= MAX_SIGNATURES, `${signatures.length} signatures`);
  return { network: unhex(origin.slice("horoi/".length)), size: Number(size), root: rootBytes, body, signatures };
}

function readSignature(line) {
  const [dash, name = "", ...rest] = line.split(" ");
  const blob = unbase64(rest.join(" "), "signature");
  that(dash === "—" && NAME.test(name) && blob.length === 76, "not a signature line");
  const timeS = numberOf(blob.slice(4, 12));
  that(timeS <= MAX_TIME_S, "a time over 2**63");
  return { name, keyId: blob.slice(0, 4), timeS, signature: blob.slice(12) };
}

/** Who signed: every signature is checked with the key at its place. */
export function checkCosignatures({ body, signatures }, keys) {
  that(signatures.length === keys.length && new Set(keys.map((key) => hex(key.public))).size === keys.length, "not one key of its own for each signature");
  return signatures.map(({ name, keyId, timeS, signature }, i) => {
    const key = keys[i];
    const message = text(`cosignature/v1\ntime ${timeS}\n${body}`);
    const isValid = name === key.name && same(keyId, key.keyId) && verified(signature, message, key.public);
    need(isValid, "cosignature", "is not valid over the checkpoint", { who: key.name });
    return { name, key: key.text, timeS: Number(timeS) };
  });
}

function verified(signature, message, key) {
  try {
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false; // not a point of the curve
  }
}
