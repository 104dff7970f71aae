// Words of the board. [English, Greek]

import { addWords } from "../lang.js";

addWords({
  "board.title": ["The board", "Ο πίνακας"],
});
