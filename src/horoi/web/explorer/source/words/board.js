// Words of the board. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "board.title": ["The board", "Ο πίνακας"],
  "board.stream": ["As it happens", "Όπως συμβαίνουν"],
  "board.nothing": ["Nothing was said or moved yet. The first post or movement appears here by itself.", "Δεν αναρτήθηκε ούτε μετακινήθηκε κάτι ακόμα. Το πρώτο θα εμφανιστεί εδώ μόνο του."],
  "strip.label": ["Newest blocks", "Νεότερα μπλοκ"],
  "strip.next": ["Next", "Επόμενο"],
  "strip.waiting": ["{n} waiting|{n} waiting", "{n} σε αναμονή|{n} σε αναμονή"],
  "strip.transactions": ["{n} transaction|{n} transactions", "{n} συναλλαγή|{n} συναλλαγές"],
  "agreement.title": ["Agreement", "Συμφωνία"],
  "agreement.alone": ["No peer is linked: nobody confirms what this node says.", "Κανένας ομότιμος δεν είναι συνδεδεμένος: κανείς δεν επιβεβαιώνει αυτόν τον κόμβο."],
  "agreement.all": ["{n} peer stands at the same tip.|All {n} peers stand at the same tip.", "{n} ομότιμος βρίσκεται στην ίδια κορυφή.|Και οι {n} ομότιμοι βρίσκονται στην ίδια κορυφή."],
  "agreement.some": ["{same} of {n} peer stands at the same tip.|{same} of {n} peers stand at the same tip.", "{same} από {n} ομότιμο στην ίδια κορυφή.|{same} από {n} ομότιμους στην ίδια κορυφή."],
  "agreement.more": ["and {n} more", "και {n} ακόμα"],
  "peer.agrees": ["same tip", "ίδια κορυφή"],
  "peer.lags": ["lags", "υστερεί"],
  "peer.ahead": ["ahead", "προηγείται"],
  "peer.differs": ["differs", "διαφέρει"],
  "peer.unknown": ["unknown", "άγνωστο"],
  "waiting.title": ["Waiting for a block", "Σε αναμονή για μπλοκ"],
  "waiting.count": ["{n} transaction in the mempool|{n} transactions in the mempool", "{n} συναλλαγή στο mempool|{n} συναλλαγές στο mempool"],
});
