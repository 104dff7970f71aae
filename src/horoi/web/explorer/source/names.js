// The names that this node's operator gave to keys (GET /v1/names), read once and again when one was given.

import { get } from "./api.js";
import { makeStore, useStore } from "./store.js";

export const names = makeStore(null);
let isAsked = false;

export async function readNames() {
  isAsked = true;
  try {
    const { names: list } = await get("/v1/names");
    names.set(new Map(list.flatMap((entry) => [[entry.address, entry], [entry.key, entry]])));
  } catch {
    isAsked = false; // addresses do; the next page tries again
  }
}

export function useNames() {
  if (!isAsked) readNames();
  return useStore(names);
}

/** The name of an address or key, or null. */
export function useName(address) {
  return useNames()?.get(address)?.name ?? null;
}
