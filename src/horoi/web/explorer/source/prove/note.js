// Cosigned checkpoints (ledger/checkpoint.py): C2SP signed notes with timestamped Ed25519 cosignatures.

import { ed25519 } from "@noble/curves/ed25519.js";
import { hex, join, numberOf, same, sha256, text, unhex } from "./bytes.js";
import { need } from "./broken.js";

const TYPE = Uint8Array.of(4);
const MAX_SIGNATURES = 16;

function unbase64(value, what) {
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
  } catch {
    bytes = null;
  }
  need(bytes !== null && btoa(String.fromCharCode(...bytes)) === value, "checkpoint", `${what}: not base64 in its one form`);
  return bytes;
}

/** A witness's key: name+key id+base64. */
export function readKey(value) {
  const [name, id, ...rest] = value.split("+");
  const data = unbase64(rest.join("+"), "key");
  need(name && !/\s/.test(name) && data.length === 33 && data[0] === 4, "checkpoint", "not a witness's key");
  const keyId = sha256(join(text(`${name}\n`), data)).slice(0, 4);
  need(hex(keyId) === id, "checkpoint", `the key id of ${name} is ${hex(keyId)}`);
  return { name, keyId, public: data.slice(1), text: value };
}

/** The checkpoint of a note, with who signed it; every signature is checked with the key at its place. */
export function readNote(note, keyTexts) {
  const [body, rest] = [note.slice(0, note.indexOf("\n\n") + 1), note.slice(note.indexOf("\n\n") + 2)];
  const lines = body.split("\n");
  need(lines.length === 4 && rest.endsWith("\n") && /^horoi\/[0-9a-f]{64}$/.test(lines[0]) && /^[1-9][0-9]{0,9}$/.test(lines[1]), "checkpoint", "not a checkpoint");
  const root = unbase64(lines[2], "root");
  need(root.length === 32, "checkpoint", "a root of another length");
  const signatures = rest.split("\n").slice(0, -1);
  need(signatures.length === keyTexts.length && signatures.length <= MAX_SIGNATURES, "checkpoint", "not one key for each signature");
  const keys = keyTexts.map(readKey);
  need(new Set(keys.map((key) => hex(key.public))).size === keys.length, "checkpoint", "a key that is there twice");
  const signed = signatures.map((line, i) => readSignature(line, keys[i], body));
  return { network: unhex(lines[0].slice("horoi/".length)), size: Number(lines[1]), root, signed };
}

function readSignature(line, key, body) {
  const [dash, name, encoded, ...more] = line.split(" ");
  const blob = unbase64(encoded ?? "", "signature");
  const isForm = dash === "—" && name === key.name && !more.length && blob.length === 76 && same(blob.slice(0, 4), key.keyId);
  const timeS = numberOf(blob.slice(4, 12));
  const message = text(`cosignature/v1\ntime ${timeS}\n${body}`);
  let isValid = false;
  try {
    isValid = isForm && ed25519.verify(blob.slice(12), message, key.public, { zip215: false });
  } catch {
    isValid = false;
  }
  need(isValid, "cosignature", `of ${key.name} is not valid over the checkpoint`, { who: key.name });
  return { name: key.name, key: key.text, timeS: Number(timeS) };
}
