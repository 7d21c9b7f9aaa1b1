/**
 * "Did you mean": the known word that is nearest to a misspelt one.
 *
 * @module
 */
import leven from "leven";

/**
 * The candidate that a misspelt word was probably meant to be; `undefined` when none is near. Case does not count.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  // One slip for every three letters: more would suggest words that have nothing in common.
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    // Letters in the wrong order are one slip, although it takes two edits to put them right.
    const distance = isShuffled(typed, known) ? 1 : leven(typed, known, { maxDistance: bestDistance });
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function isShuffled(a: string, b: string): boolean {
  return a !== b && a.length === b.length && [...a].sort().join() === [...b].sort().join();
}

/** {@linkcode suggest} as the end of a message: `; did you mean "method"?`, or `""`. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const best = suggest(word, candidates);
  return best === undefined ? "" : `; did you mean ${JSON.stringify(best)}?`;
}
