/* What stands on the proof page, compared with what was recorded. */

import { ProofFailed } from "./verify.js";

const WHERE = "the history on this page";

/** `shown`, [{id, at, step, place, corrects, struck}] in any order, must be exactly the events that verify.js `opened`.
 * `struck` out is only what a correction names, and always what an authorised one names that is not struck out itself.
 * Whether another correction was by the source of what it names is not public, so a page need not follow it. */
export function checkShown(shown, opened) {
  const line = ({ id, at, step, place, corrects }) => JSON.stringify([id, at, step, place, Boolean(corrects)]);
  const [seen, kept] = [shown.map(line).sort(), opened.map(line).sort()];
  const odd = seen.find((row, i) => row !== kept[i]) ?? kept[seen.length];
  if (odd !== undefined) throw new ProofFailed("shown", WHERE, `differs from what was recorded: ${odd}`);
  const struck = new Set(shown.filter((row) => row.struck).map(({ id }) => id));
  for (const { id, struck: out } of shown) { // an id may have been used twice: then each row is looked at
    const by = opened.filter(({ corrects }) => corrects === id);
    const needed = by.some((one) => one.authorised && !struck.has(one.id));
    if (out ? by.length === 0 : needed) {
      throw new ProofFailed("shown", WHERE, `is marked otherwise than it was corrected: ${id}`);
    }
  }
}
