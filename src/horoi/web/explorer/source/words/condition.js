// Words of conditions. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "condition.threshold": ["{k} of {n}:|{k} of {n}:", "{k} από {n}:|{k} από {n}:"],
  "condition.any": ["any of:", "οποιοδήποτε από:"],
  "condition.all": ["all of:", "όλα:"],
  "condition.height": ["after block {height}", "μετά το μπλοκ {height}"],
  "condition.time": ["after {time}", "μετά από {time}"],
  "condition.preimage": ["who shows the preimage of {hash}", "όποιος δείξει το πρότυπο του {hash}"],
});
