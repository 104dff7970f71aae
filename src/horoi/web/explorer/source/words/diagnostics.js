// Words of the diagnostics. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "diagnostics.title": ["Diagnostics", "Διάγνωση"],
  "diagnostics.again": ["Check again", "Νέος έλεγχος"],
  "diagnostics.checks": ["Checks", "Έλεγχοι"],
  "diagnostics.ok": ["Everything is as it should be", "Όλα είναι όπως πρέπει"],
  "diagnostics.warn": ["Something wants attention", "Κάτι θέλει προσοχή"],
  "diagnostics.fail": ["Something is wrong", "Κάτι δεν πάει καλά"],
  "diagnostics.verdict": ["Verdict", "Κρίση"],
  "diagnostics.check": ["Check", "Έλεγχος"],
  "diagnostics.found": ["Found", "Εύρημα"],
  "diagnostics.advice": ["What to do", "Τι να κάνετε"],
  "verdict.ok": ["ok", "εντάξει"],
  "verdict.warn": ["look", "προσοχή"],
  "verdict.fail": ["wrong", "σφάλμα"],
  "check.clock": ["Clock", "Ρολόι"],
  "check.disk": ["Disk", "Δίσκος"],
  "check.folder": ["Folder", "Φάκελος"],
  "check.writing": ["Writing", "Εγγραφή"],
  "check.peers": ["Peers", "Ομότιμοι"],
  "check.agreement": ["Agreement", "Συμφωνία"],
  "check.chain": ["Chain", "Αλυσίδα"],
  "check.block times": ["Block times", "Ώρες των μπλοκ"],
  "check.blocks": ["Blocks", "Μπλοκ"],
  "check.index": ["Index", "Ευρετήριο"],
  "check.faults": ["Faults", "Βλάβες"],
});
