// What /v1/status said last: which network and node this is.

import { makeStore } from "./store.js";

export const status = makeStore(null);
