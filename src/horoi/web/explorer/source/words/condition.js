// Words of conditions. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "condition.threshold": ["{k} of {n}:|{k} of {n}:", "{k} από {n}:|{k} από {n}:"],
  "condition.any": ["any of:", "οποιοδήποτε από:"],
  "condition.all": ["all of:", "όλα:"],
  "condition.height": ["after block {height}", "μετά το μπλοκ {height}"],
  "condition.time": ["after {time}", "μετά από {time}"],
  "condition.of": ["{k} of ({keys})", "{k} από ({keys})"],
  "condition.or": [" or ", " ή "],
  "condition.and": [" and ", " και "],
  "condition.anybody-height": ["anybody from block {height} on", "οποιοσδήποτε από το μπλοκ {height} και μετά"],
  "condition.anybody-time": ["anybody after {time}", "οποιοσδήποτε μετά από {time}"],
  "condition.shows": ["whoever shows the bytes with SHA-256 {hash}", "όποιος δείξει τα bytes με SHA-256 {hash}"],
  "condition.preimage": ["who shows the preimage of {hash}", "όποιος δείξει το πρότυπο του {hash}"],
});
