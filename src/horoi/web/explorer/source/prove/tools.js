// All that checking takes, as one chunk: it is fetched when somebody audits or drops a proof.

export { Broken, need } from "./broken.js";
export { hex, same, unhex } from "./bytes.js";
export { readGenesis } from "./genesis.js";
export { checkRun, medianBefore, readHeader, workFrom } from "./headers.js";
export { rootOf } from "./merkle.js";
export { split } from "./msgpack.js";
export { checkAgreed, checkSignatures, contentLeaf, readReward, readTransaction } from "./record.js";
export { verifyProof } from "./verify.js";
