// What happened, in sentences: one for each kind of line that the board has (GET /v1/board). [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "line.defined": ["{actor} defined the asset {asset}", "{actor} όρισε το αγαθό {asset}"],
  "line.issued": ["{actor} issued {amount} of {asset}", "{actor} εξέδωσε {amount} {asset}"],
  "line.licensed": ["{actor} gave {counterpart} the right to make up to {amount} of {asset}", "{actor} έδωσε σε {counterpart} το δικαίωμα να παράγει έως {amount} {asset}"],
  "line.transferred": ["{actor} transferred {amount} of {asset} to {counterpart}", "{actor} μεταβίβασε {amount} {asset} σε {counterpart}"],
  "line.handed-over": ["{actor} handed {amount} of {asset} to {counterpart}", "{actor} παρέδωσε {amount} {asset} σε {counterpart}"],
  "line.received": ["{actor} received {amount} of {asset} from {counterpart}", "{actor} παρέλαβε {amount} {asset} από {counterpart}"],
  "line.transformed": ["{actor} made {amount} of {asset} out of {sources}", "{actor} παρήγαγε {amount} {asset} από {sources}"],
  "line.retired": ["{actor} took {amount} of {asset} off the books: {reason}", "{actor} διέγραψε {amount} {asset} από τα βιβλία: {reason}"],
  "line.rearranged": ["{actor} rearranged holdings of {asset}", "{actor} αναδιάταξε αποθέματα {asset}"],
  "line.paid": ["{actor} paid {amount} to {counterpart}", "{actor} πλήρωσε {amount} σε {counterpart}"],
  "line.posted": ["{actor} posted", "{actor} ανάρτησε"],
  "line.about": ["about {asset}", "για {asset}"],
  "line.owned": ["owned by {owner}", "ιδιοκτησία: {owner}"],
  "line.document": ["document", "έγγραφο"],
  "line.block": ["block {height}", "μπλοκ {height}"],
  "line.deep": ["{n} deep", "βάθος {n}"],
  "line.deep-long": ["confirmed, {n} block deep|confirmed, {n} blocks deep", "επιβεβαιωμένο, σε βάθος {n} μπλοκ|επιβεβαιωμένο, σε βάθος {n} μπλοκ"],
  "line.waits": ["waits", "αναμονή"],
  "line.waits-long": ["waits for a block", "περιμένει μπλοκ"],
});
