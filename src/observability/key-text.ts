/** Keys as text that is safe to show. The code lies with the errors, since layers without IO name keys in theirs. */
export { keyText, safeText } from "../errors/key-text.ts";
