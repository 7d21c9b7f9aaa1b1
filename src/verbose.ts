/**
 * Tells on the standard error stream what passes, for a person who watches a test run.
 *
 * @module
 */
import process from "node:process";
import type { HttpFlow } from "./flow/http_flow.ts";
import type { Message } from "./flow/message.ts";
import { shorten } from "./flow/matcher/describe.ts";
import { isText } from "./flow/media_type.ts";
import { isSensitiveName, REDACTED, redactText, redactUrl } from "./flow/sensitive.ts";
import type { LogEntry } from "./hooks/addon.ts";

/** Prints flows and the log, as far as `verbose` asks for it. Credentials are never printed. */
export class Printer {
  readonly #level: number;

  /** @param level 0: nothing, 1: a line for each flow, 2: requests in full, 3: responses too */
  constructor(level: number) {
    this.#level = level;
  }

  /** A flow is over. */
  print(flow: HttpFlow): void {
    if (this.#level === 0) return;
    const { request, response, error, timings, source } = flow;
    const outcome = error === undefined ? `${response?.status} ${response?.reason}` : error.code;
    const lines = [
      `${request.method} ${redactUrl(request.url)} -> ${outcome} (${source}, ${Math.round(timings.end ?? 0)} ms)`,
    ];
    if (this.#level >= 2) lines.push(messageText(request));
    if (this.#level >= 3 && response !== undefined) lines.push(messageText(response));
    process.stderr.write(`${lines.join("\n")}\n`);
  }

  /** A line of the log. */
  log({ level, message }: LogEntry): void {
    if (this.#level > 0) process.stderr.write(`[flowtape] ${level}: ${message}\n`);
  }
}

function messageText(message: Message): string {
  const fields = message.headers.raw.map(([name, value]) => {
    return `  ${name}: ${isSensitiveName(name) ? REDACTED : redactText(value)}`;
  });
  return [...fields, ...bodyText(message)].join("\n");
}

function bodyText(message: Message): string[] {
  if (message.content.size === 0) return [];
  if (!isText(message.headers.get("content-type"))) return ["", `  (${message.content.size} bytes)`];
  try {
    // Cut first: looking for credentials in megabytes would hold up the test.
    const text = redactText(shorten(message.text()));
    return ["", ...text.split("\n").map((line) => `  ${line}`)];
  } catch {
    return ["", `  (${message.content.size} bytes that cannot be decoded)`];
  }
}
