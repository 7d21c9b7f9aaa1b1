/**
 * What can be answered at the prompt.
 *
 * @module
 */
import type { PausedFlow, PausePhase } from "../../rules/mod.ts";

/** What a person has decided to do. */
export type Key = "forward" | "link" | "drop" | "continue" | "view" | "headers" | "edit" | "next" | "help";

/** An answer: its letter, what it is called in the menu, and what it does. */
interface Answer {
  readonly letter: string;
  readonly word: string;
  readonly key: Key;
  readonly about: string;
}

const SHARED: readonly Answer[] = [
  { letter: "d", word: "drop", key: "drop", about: "cuts the client's connection" },
  { letter: "c", word: "continue", key: "continue", about: "forwards this one and all that come" },
  { letter: "v", word: "view", key: "view", about: "shows all of it" },
  { letter: "h", word: "headers", key: "headers", about: "shows the header fields" },
  { letter: "e", word: "edit", key: "edit", about: "opens it in $EDITOR" },
  { letter: "n", word: "next", key: "next", about: "leaves it waiting, and goes to the next one" },
];

const FORWARD: Answer = { letter: "f", word: "forward", key: "forward", about: "lets it go on (also an empty line)" };

const OF_TUNNELS: readonly Answer[] = [
  { letter: "b", word: "bypass", key: "forward", about: "opens the tunnel and reads along (also an empty line)" },
  { letter: "l", word: "link", key: "link", about: "opens the tunnel and relays it unread" },
  ...SHARED.filter(({ key }) => key !== "edit"),
];

/** The answers for what a flow waits with. */
export function answersFor(phase: PausePhase): readonly Answer[] {
  return phase === "connect" ? OF_TUNNELS : [FORWARD, ...SHARED];
}

/** What a line means; `undefined` when it is no answer. */
export function keyOf(line: string, phase: PausePhase): Key | undefined {
  const text = line.trim().toLowerCase();
  if (text === "") return "forward";
  if (text === "?" || text === "help") return "help";
  // "f" opens a tunnel, too: forward() is what it is called in a test.
  const answers = phase === "connect" ? [...OF_TUNNELS, FORWARD] : answersFor(phase);
  return answers.find(({ letter, word }) => text === letter || text === word)?.key;
}

/** `[f]orward, (d)rop, ...` */
export function menuFor({ phase }: PausedFlow): string {
  return answersFor(phase).map(({ letter, word }, i) => {
    const [open, close] = i === 0 ? "[]" : "()";
    return `${open}${letter}${close}${word.slice(1)}`;
  }).join(", ");
}

/** A line for each answer. */
export function explain(phase: PausePhase): string {
  return answersFor(phase).map(({ letter, about }) => `  ${letter}  ${about}\n`).join("");
}
