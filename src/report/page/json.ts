/**
 * JSON for people: numbers stay as they were written, however large.
 *
 * @module
 */

/** A number that JavaScript would change. */
export class WrittenNumber {
  readonly source: string;

  /** @param source as it was written */
  constructor(source: string) {
    this.source = source;
  }
}

/** The value of a JSON text; `undefined` when it is none. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  if (!/^\s*(?:[[{"\d-]|true|false|null)/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text, reviver as (key: string, value: unknown) => unknown) };
  } catch {
    return undefined;
  }
}

/** Several JSON texts, one in each line. */
export function parseLines(text: string): unknown[] | undefined {
  const values: unknown[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const parsed = parseJson(line);
    if (parsed === undefined) return undefined;
    values.push(parsed.value);
  }
  return values.length === 0 ? undefined : values;
}

// Browsers that do not give the source have the number as it is.
function reviver(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return String(value) === context.source ? value : new WrittenNumber(context.source);
}
