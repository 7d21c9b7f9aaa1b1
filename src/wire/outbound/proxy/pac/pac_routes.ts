/**
 * What the PAC file of one proxy answers: read and run when it is first needed, and asked once for each question.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { LruMap } from "../../../ca/lru.ts";
import { loadPacEngine } from "./engine.ts";
import { Pac, whatIsShown } from "./pac.ts";
import { isRemotePac, readPacSource } from "./read_source.ts";
import type { PacRoute } from "./route.ts";

/** How to read and run a PAC file. */
export interface PacRoutesOptions {
  /** Milliseconds to get the file from a server. */
  readonly timeout: number;
  /** Given up when it aborts. */
  readonly signal: AbortSignal;
  /** What the file says with `alert`. */
  readonly alert: (text: string) => void;
}

/** How many answers are kept. */
const MAX_ANSWERS = 1000;

/** A PAC file and what it has answered. Failures are not kept: the next flow tries again. */
export class PacRoutes {
  readonly #given: string;
  readonly #options: PacRoutesOptions;
  readonly #answers = new LruMap<string, readonly PacRoute[]>(MAX_ANSWERS);
  readonly #asking = new Map<string, Promise<readonly PacRoute[]>>();
  #source: Promise<string> | undefined;
  #pac: Promise<Pac> | undefined;

  /** @param given its text, path or URL */
  constructor(given: string, options: PacRoutesOptions) {
    this.#given = given;
    this.#options = options;
  }

  /**
   * Reads a file that lies on this machine, so that a wrong path is told at once. A server is not asked before a flow goes out:
   * a tape that is replayed needs no network.
   *
   * @throws {FlowtapeError} it cannot be read
   */
  async ready(): Promise<void> {
    if (!isRemotePac(this.#given)) await this.#read();
  }

  /** What it has answered before for such a URL. */
  known(url: string): readonly PacRoute[] | undefined {
    return this.#answers.get(whatIsShown(url).shown);
  }

  /**
   * Asks it.
   *
   * @throws {FlowtapeError} the file cannot be read, or fails, or there is nothing to run it
   */
  find(url: string): Promise<readonly PacRoute[]> {
    const { shown } = whatIsShown(url);
    const asking = this.#asking.get(shown) ?? this.#ask(shown).finally(() => this.#asking.delete(shown));
    this.#asking.set(shown, asking);
    return asking;
  }

  async #ask(shown: string): Promise<readonly PacRoute[]> {
    this.#pac ??= this.#open();
    const pac = await this.#pac.catch((error) => {
      this.#pac = undefined;
      throw error;
    });
    const routes = await pac.find(shown);
    this.#answers.set(shown, routes);
    return routes;
  }

  async #open(): Promise<Pac> {
    const [source, engine] = await Promise.all([this.#read(), loadPacEngine()]);
    return new Pac(source, { engine, alert: this.#options.alert });
  }

  #read(): Promise<string> {
    return this.#source ??= this.#readInTime().catch((error) => {
      this.#source = undefined;
      throw error;
    });
  }

  async #readInTime(): Promise<string> {
    const { timeout, signal } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeout} ms (timeouts.connect)`)), timeout);
    const onAbort = () => late.abort(new Error("the proxy was closed"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await readPacSource(this.#given, late.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }
}
