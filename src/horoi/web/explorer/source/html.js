// What every file that draws imports: markup as tagged templates (htm), and Preact's hooks.
// Text goes in as text nodes only. Nothing here may use dangerouslySetInnerHTML; the content-security policy
// (require-trusted-types-for 'script') would stop it.

import htm from "htm";
import { Fragment, h } from "preact";

export const html = htm.bind(h);
export { Fragment, h };
export { render, createContext } from "preact";
export { useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
