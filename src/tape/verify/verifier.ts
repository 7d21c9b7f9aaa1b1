/**
 * Mode `verify`: asks servers what they answer by now, while flows are answered from the tape.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { LogEntry } from "../../hooks/addon.ts";
import type { TapeEntry } from "../entry.ts";
import type { VerifyOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { compareAnswers, Drift } from "./drift.ts";

/** Sends a request to its server, past rules, tape and capture; resolves when that flow is over, however it ended. */
export type AskServer = (flow: HttpFlow, options: { timeout: number }) => Promise<HttpFlow>;

/** What a verifier works with. */
export interface VerifierOptions {
  readonly path: string;
  readonly options: VerifyOptions;
  readonly redactor: Redactor;
  readonly ask: AskServer;
  log(entry: LogEntry): void;
}

/** How many servers are asked at once; more wait. */
const AT_ONCE = 8;
/** How many drifts are kept and told. */
const MAX_KEPT = 100;
const MAX_TOLD = 10;

/** Asks and compares. */
export class Verifier {
  readonly #with: VerifierOptions;
  readonly #methods: ReadonlySet<string>;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #drift: Drift[] = [];
  #count = 0;
  #asked = 0;

  /** Asks nobody by itself. */
  constructor(options: VerifierOptions) {
    this.#with = options;
    this.#methods = new Set(options.options.methods ?? ["GET", "HEAD"]);
  }

  /** What has been found so far: the first hundred. */
  get drift(): readonly Drift[] {
    return this.#drift;
  }

  /** Whether the server is asked about a flow. */
  asks({ request, websocket }: HttpFlow): boolean {
    return this.#methods.has(request.method) && websocket === undefined && !/^wss?$/.test(request.scheme);
  }

  /** A flow has been answered from the tape: asks its server too. Nothing waits for it but {@linkcode Verifier.settle}. */
  check(flow: HttpFlow, entry: TapeEntry): void {
    if (!this.asks(flow)) return;
    this.#waiting.push(() => this.#check(flow, entry));
    this.#next();
  }

  /** Resolves when every server has answered, or has had its time. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /**
   * Tells what was found.
   *
   * @throws {TapeError} `TAPE_DRIFT`
   */
  report(): void {
    const { path, options: { then = "fail" }, log } = this.#with;
    if (this.#count === 0) {
      log({ level: "info", message: `${path}: ${this.#asked} answers were verified, and are as recorded` });
      return;
    }
    const rest = this.#count > MAX_TOLD ? [`and ${this.#count - MAX_TOLD} more`] : [];
    if (then === "warn") return;
    const told = [...this.#drift.slice(0, MAX_TOLD).map(String), ...rest].join("\n\n");
    throw new TapeError(
      "TAPE_DRIFT",
      `${this.#count} of ${this.#asked} answers are not any more what is on the tape ${path}:\n\n${told}\n\n` +
        'If the servers are right, record the tape again: FLOWTAPE_MODE=record, or mode: "record". What may differ: ' +
        "verify: { ignore: [names of headers, places in JSON] }.",
    );
  }

  #next(): void {
    if (this.#running.size >= AT_ONCE) return;
    const check = this.#waiting.shift();
    if (check === undefined) return;
    const running = check().finally(() => {
      this.#running.delete(running);
      this.#next();
    });
    this.#running.add(running);
  }

  async #check(flow: HttpFlow, entry: TapeEntry): Promise<void> {
    const { options: { ignore = [], timeout = 10_000 }, redactor, ask, log } = this.#with;
    this.#asked++;
    const title = `${flow.request.method} ${redactor.url(flow.request.url)}`;
    try {
      const { response, error } = await ask(flow, { timeout });
      const recorded = { response: await entry.response(), error: entry.failure };
      const differences = compareAnswers(recorded, { response, error }, { ignore, redactor });
      if (differences.length === 0) return;
      this.#count++;
      const drift = new Drift(flow, entry, differences, title);
      if (this.#drift.length < MAX_KEPT) this.#drift.push(drift);
      const fields = differences.map(({ field, expected, actual }) => `${field}: ${expected} -> ${actual ?? "absent"}`);
      log({ level: "warn", message: `drift: ${title}: ${fields.slice(0, 5).join(", ")}` });
    } catch (error) {
      // The proxy is being closed, or the tape cannot be read: nothing can be said about the server.
      log({ level: "error", message: `not verified: ${title}: ${error instanceof Error ? error.message : error}` });
    }
  }
}
