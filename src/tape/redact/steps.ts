/**
 * Work in steps: at once, or with pauses in which others come to their turn.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";

/** Does all of it at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** So many milliseconds nobody else comes to their turn. */
const TURN = 8;

/** Does it in turns. What is short is done when this returns. */
export function inTurns<T>(steps: Generator<void, T>): T | Promise<T> {
  const end = performance.now() + TURN;
  while (performance.now() < end) {
    const step = steps.next();
    if (step.done) return step.value;
  }
  return setImmediate().then(() => inTurns(steps));
}

const SIZE = 65_536;

/** Text in pieces that are cut where no secret is: behind a line, a closing tag, a comma; never within a private key. */
export function pieces(text: string, cutAt: "line" | "tag"): string[] {
  if (text.length <= SIZE + SIZE / 4) return [text];
  const found: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.length - start <= SIZE + SIZE / 4 ? text.length : cut(text, start, start + SIZE, cutAt);
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

function cut(text: string, start: number, from: number, cutAt: "line" | "tag"): number {
  const near = text.slice(from, from + SIZE / 8);
  const place = cutAt === "tag" ? /<\/[^<>]*>/.exec(near) : /\n/.exec(near) ?? /[,;}]\s*/.exec(near) ?? /\s/.exec(near);
  const end = place === null ? from : from + place.index + place[0].length;
  const key = start + text.slice(start, end).lastIndexOf("-----BEGIN ");
  if (key < start || !text.slice(key, key + 80).includes("PRIVATE KEY")) return end;
  const last = text.indexOf("-----END ", key);
  return last < 0 || last - key > SIZE ? end : Math.max(end, Math.min(text.length, last + 64));
}
