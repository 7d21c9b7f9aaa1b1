/**
 * Keeps the flows that belong on a tape, and writes them when the proxy is closed. While flows pass it only keeps
 * references: decoding, redacting and writing must not delay a byte.
 *
 * @module
 */
import type { LogEntry } from "../hooks/addon.ts";
import { TapeError } from "../flow/error.ts";
import { isUpstreamFailure } from "../flow/flow_error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { emptyLog, type HarLog } from "./har.ts";
import { parseHar } from "./har_read.ts";
import type { TapeOptions } from "./options.ts";
import { partsOfFlow } from "./parts.ts";
import type { Redactor } from "./redact/redactor.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { TapeWriter } from "./writer.ts";

/** What a recorder works with. */
export interface RecorderOptions {
  readonly options: TapeOptions;
  /** `add`: the entries of the tape stay. `replace`: a new tape takes its place. */
  readonly keep: "add" | "replace";
  readonly redactor: Redactor;
  readonly store: TapeStore;
  log(entry: LogEntry): void;
}

/** Records flows. */
export class Recorder {
  readonly #with: RecorderOptions;
  readonly #flows: HttpFlow[] = [];
  readonly #cut: string[] = [];

  /** @param options where and how */
  constructor(options: RecorderOptions) {
    this.#with = options;
  }

  /** Takes a flow that is done, if it belongs on the tape: a server answered it, or a server failed. */
  record(flow: HttpFlow): void {
    const { request, error, original } = flow;
    const response = original ?? flow.response;
    if ((flow.source !== "upstream" && original === undefined) || request.method === "CONNECT") return;
    if (error !== undefined && !isUpstreamFailure(error)) {
      // Such as an endless stream when the proxy is closed: whoever records should know.
      if (response !== undefined) {
        this.#with.log({ level: "warn", message: `not recorded (${error.code}): ${this.#name(flow)}` });
      }
      return;
    }
    if (error === undefined && response === undefined) return;
    if (response?.status === 101) {
      this.#with.log({
        level: "warn",
        message: `not recorded, because a tape cannot hold a WebSocket yet: ${this.#name(flow)}`,
      });
      return;
    }
    // A body that ended too early is cut off as well, but all that came of it is there.
    const cut = [request, response].find((message) => message && message.content.size > message.content.kept);
    if (cut === undefined) {
      this.#flows.push(flow);
      return;
    }
    const message = `${this.#name(flow)}: the ${cut === request ? "request" : "response"} body has ` +
      `${cut.content.size} bytes, of which only ${cut.content.kept} were kept`;
    this.#cut.push(message);
    this.#with.log({ level: "error", message: `not recorded: ${message}` });
  }

  /**
   * Writes what was recorded.
   *
   * @throws {TapeError} `TAPE_NOT_WRITTEN`; `TAPE_BODY_TRUNCATED` after everything else has been written
   */
  async write(): Promise<void> {
    if (this.#flows.length > 0) await this.#write();
    else if (this.#with.keep === "replace" && this.#cut.length === 0) {
      const { path } = this.#with.options;
      this.#with.log({ level: "warn", message: `nothing was recorded: the tape ${path} is left as it was` });
    }
    if (this.#cut.length > 0) {
      throw new TapeError(
        "TAPE_BODY_TRUNCATED",
        `${this.#with.options.path} lacks exchanges whose bodies are larger than the limit for what is kept:\n  ` +
          this.#cut.join("\n  "),
      );
    }
  }

  async #write(): Promise<void> {
    const { options: { path, times = false }, redactor, store } = this.#with;
    const writer = new TapeWriter(path, { redactor, times, store });
    try {
      // Read again rather than remembered: what others wrote stays as it is, also what came meanwhile.
      const log = this.#with.keep === "add" ? await readLog(path, store) : emptyLog();
      // Sorting is stable: flows that began in the same millisecond stay in the order in which they ended.
      const flows = this.#flows.toSorted((a, b) => a.timings.start - b.timings.start);
      const entries = [...log.entries];
      for (const flow of flows) entries.push(await writer.encode(partsOfFlow(flow)));
      await writer.finish({ ...log, entries });
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  #name({ request }: HttpFlow): string {
    return `${request.method} ${this.#with.redactor.url(request.url)}`;
  }
}

async function readLog(path: string, store: TapeStore): Promise<HarLog> {
  const bytes = await store.read(path);
  return bytes === undefined ? emptyLog() : parseHar(bytes, path);
}
