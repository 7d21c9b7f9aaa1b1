/**
 * Placeholders of recordings that are put together: each has numbered its secrets by itself, so the same number may stand for two secrets.
 *
 * Nobody can look whether two secrets are the same: nothing of them is kept. They are taken for the same where both recordings have the
 * same exchange with them, and nothing speaks against it; otherwise one of them has another number from here on.
 *
 * @module
 */

/** A placeholder that was numbered by a recording. Those of `restore` have no number, and stand for the same secret everywhere. */
const NUMBERED = /\[redacted:([\w.]{1,40})-(\d{1,9})\]/g;

/** What must be known of an exchange. */
export interface SecretFacts {
  /** Equal for the same request, whatever the numbers. */
  readonly key: string;
  /** Equal for the same exchange, whatever the numbers. */
  readonly same: string;
  /** Its placeholders, in the order in which they stand there, with repetitions. */
  readonly names: readonly string[];
}

/** The placeholders in a text. */
export function secretNames(text: string): string[] {
  return text.includes("[redacted:") ? Array.from(text.matchAll(NUMBERED), ([name]) => name) : [];
}

/** The text with all numbers left out. */
export function withoutNumbers(text: string): string {
  return text.includes("[redacted:") ? text.replace(NUMBERED, "[redacted:$1]") : text;
}

/** How far the numbers of each label go, in a text: the next that is free. */
export function numbersIn(texts: Iterable<string>): Map<string, number> {
  const next = new Map<string, number>();
  for (const text of texts) {
    for (const [label, number] of nextNumbers(secretNames(text))) {
      next.set(label, Math.max(next.get(label) ?? 1, number));
    }
  }
  return next;
}

/** Whether a placeholder is among those of {@linkcode numbersIn}. */
export function isAmong(numbers: Readonly<Record<string, number>>, name: string): boolean {
  const [label, number] = partsOf(name);
  return Object.hasOwn(numbers, label) && number < numbers[label]!;
}

/** The text with other placeholders. */
export function renameSecrets(text: string, names: ReadonlyMap<string, string>): string {
  return text.includes("[redacted:") ? text.replace(NUMBERED, (name) => names.get(name) ?? name) : text;
}

/**
 * What placeholders of a recording are to be called where it is put beside others. Empty: as they are.
 *
 * @param there what it is put beside
 * @param coming the recording
 * @param isKnown whether the recording has a placeholder from what was there before
 */
export function renaming(
  there: readonly SecretFacts[],
  coming: readonly SecretFacts[],
  isKnown: (name: string) => boolean = () => false,
): Map<string, string> {
  const own = new Set(coming.flatMap(({ names }) => names).filter((name) => !isKnown(name)));
  const taken = new Set(there.flatMap(({ names }) => names).filter((name) => !isKnown(name)));
  const renamed = new Map<string, string>();
  if (own.size === 0 || taken.size === 0) return renamed;

  const votes = votesOf(there, coming, own, isKnown);
  const before = answersByName(there);
  const after = answersByName(coming);
  const givenAway = new Set<string>();
  const next = nextNumbers([...there, ...coming].flatMap(({ names }) => names));
  for (const name of own) {
    const same = [...votes.get(name) ?? []].sort(([a, m], [b, n]) => Number(b === name) - Number(a === name) || n - m)
      .find(([other]) => !givenAway.has(other) && !contradicts(before.get(other), after.get(name)));
    const to = same !== undefined ? same[0] : taken.has(name) || givenAway.has(name) ? fresh(name, next) : name;
    givenAway.add(to);
    if (to !== name) renamed.set(name, to);
  }
  return renamed;
}

type Votes = Map<string, Map<string, number>>;

/** How often a placeholder stands where another one stands in the same exchange of others. */
function votesOf(
  there: readonly SecretFacts[],
  coming: readonly SecretFacts[],
  own: ReadonlySet<string>,
  isKnown: (name: string) => boolean,
): Votes {
  const twins = Map.groupBy(there.filter(({ names }) => names.length > 0), ({ same }) => same);
  const votes: Votes = new Map();
  const met = new Map<string, number>();
  for (const { same, names } of coming) {
    const nth = met.get(same) ?? 0;
    met.set(same, nth + 1);
    const twin = twins.get(same)?.[nth];
    if (twin === undefined) continue;
    for (const [i, name] of names.entries()) {
      const other = twin.names[i];
      if (other === undefined || !own.has(name) || isKnown(other)) continue;
      const counts = votes.get(name) ?? new Map<string, number>();
      counts.set(other, (counts.get(other) ?? 0) + 1);
      votes.set(name, counts);
    }
  }
  return votes;
}

type Answers = ReadonlyMap<string, readonly string[]>;

/** Whether a request with one of them was answered otherwise than the same request with the other. */
function contradicts(answers: Answers = NONE, others: Answers = NONE): boolean {
  for (const [key, list] of answers) {
    const other = others.get(key) ?? [];
    const count = Math.min(list.length, other.length);
    for (let i = 0; i < count; i++) if (list[i] !== other[i]) return true;
  }
  return false;
}

const NONE: Answers = new Map();

/** For each placeholder: what the requests with it were answered, in order. */
function answersByName(all: readonly SecretFacts[]): Map<string, Map<string, string[]>> {
  const found = new Map<string, Map<string, string[]>>();
  for (const { key, same, names } of all) {
    for (const name of new Set(names)) {
      const answers = found.get(name) ?? new Map<string, string[]>();
      found.set(name, answers);
      const list = answers.get(key);
      if (list === undefined) answers.set(key, [same]);
      else list.push(same);
    }
  }
  return found;
}

function nextNumbers(names: Iterable<string>): Map<string, number> {
  const next = new Map<string, number>();
  for (const name of names) {
    const [label, number] = partsOf(name);
    next.set(label, Math.max(next.get(label) ?? 1, number + 1));
  }
  return next;
}

function fresh(name: string, next: Map<string, number>): string {
  const [label] = partsOf(name);
  const number = next.get(label)!;
  next.set(label, number + 1);
  return `[redacted:${label}-${number}]`;
}

function partsOf(name: string): [label: string, number: number] {
  const dash = name.lastIndexOf("-");
  return [name.slice("[redacted:".length, dash), Number(name.slice(dash + 1, -1))];
}
