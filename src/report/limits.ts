/**
 * How large a report may become.
 *
 * @module
 */

/** The limits of a report. What is beyond them is left out, and the page says so. */
export interface ReportLimits {
  /** How many bytes of each body and message are shown. 256 KiB by default. */
  body?: number;
  /** How many characters all bodies and messages may take together. 16 MiB by default: those of requests that failed come first. */
  total?: number;
  /** How many flows are shown, the newest. 20,000 by default. */
  flows?: number;
}

/** The defaults. */
export const LIMITS: Required<ReportLimits> = {
  body: 256 * 1024,
  total: 16 * 1024 * 1024,
  flows: 20_000,
};

/** No header field, name or text of another kind is longer than this in a report. */
export const MAX_TEXT: number = 16 * 1024;

/** No more messages of a conversation than this are in a report. */
export const MAX_MESSAGES = 5000;

/** Text cut to what a report shows. */
export function shortened(text: string, max: number = MAX_TEXT): string {
  return text.length <= max
    ? text
    : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, "")}… (${text.length - max} more characters)`;
}

/** What is left for bodies. */
export class Budget {
  /** How many bodies and messages were shortened or left out. */
  cut = 0;
  #left: number;

  /** @param total characters */
  constructor(total: number) {
    this.#left = total;
  }

  /** How many characters are left. */
  get left(): number {
    return this.#left;
  }

  /** Takes so many. */
  take(length: number): void {
    this.#left = Math.max(0, this.#left - length);
  }
}
