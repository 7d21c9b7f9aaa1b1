/**
 * The tape of a proxy, as an addon.
 *
 * @module
 */
import process from "node:process";
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Addon, LogEntry } from "../hooks/addon.ts";
import type { TapeEntry } from "./entry.ts";
import { checkTapeOptions, type TapeMode, type TapeOptions } from "./options.ts";
import { resolveMode } from "./modes.ts";
import { Player } from "./player.ts";
import { Recorder } from "./recorder.ts";
import { mayStream } from "./streams/chunk.ts";
import { writesTimes } from "./streams/pace.ts";
import { startReading } from "./record/live.ts";
import { identityOf } from "./record/locked.ts";
import { recoverAll } from "./record/recover.ts";
import { secretsInEnvironment } from "./redact/options.ts";
import { Ledger } from "./redact/placeholders.ts";
import { createRedactor, createWritingRedactor } from "./redact/redactor.ts";
import { refuseTcp } from "./refuse_tcp.ts";
import { fileStore } from "./store/file_store.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { loadTape, loadWithJournals } from "./tape.ts";
import { TapeWriter } from "./writer.ts";

/** Who is told what happens with a tape. */
export interface TapeReport {
  /** In replay mode nothing matched the flow; it has been answered with the explanation. */
  unmatched(flow: Flow, explanation: string): void;
  /** A line for the log. */
  log(entry: LogEntry): void;
}

/** An addon that replays, and that the wire tells what to record. */
export interface TapeAddon extends Addon {
  /** What `auto` has become, or the mode that was asked for. */
  readonly mode: TapeMode;
  /** The entries that have not been replayed; none when nothing is replayed. */
  readonly unused: readonly TapeEntry[];
  /**
   * Whether the bodies of this flow must be kept whole, however large. May be asked once the `requestHeaders` hooks have
   * run, and again for the response.
   */
  keepsBodies(flow: Flow): boolean;
  /** Whether the chunks of a response are to be told apart, once its head has come. */
  keepsChunks(flow: HttpFlow): boolean;
  /** Whether the tape speaks first in a raw conversation with this server. */
  greets(target: { readonly hostname: string; readonly port: number }): boolean;
  /** Takes a flow that is done. To be called once for every one; those that do not belong on the tape are let go. */
  record(flow: Flow): void;
  /** Writes what was recorded, and gives the tape free. Settles once, whoever calls it. */
  close(): Promise<void>;
}

/**
 * Opens a tape. Nothing is recorded over a file that is not one: opening fails.
 *
 * @throws {OptionsError} an option is wrong
 * @throws {TapeError} the tape cannot be read, or is in use
 */
export async function openTape(
  options: TapeOptions,
  report: TapeReport,
  store: TapeStore = options.store ?? fileStore,
): Promise<TapeAddon> {
  checkTapeOptions(options);
  const mode = resolveMode(options.mode);
  if (mode === "passthrough") {
    return {
      name: "tape",
      mode,
      unused: [],
      keepsBodies: () => false,
      keepsChunks: () => false,
      greets: () => false,
      record: () => {},
      close: () => Promise.resolve(),
    };
  }
  const release = startReading(await identityOf(store, options.path));
  try {
    return await open(options, mode, report, store, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function open(
  options: TapeOptions,
  mode: TapeMode,
  report: TapeReport,
  store: TapeStore,
  release: () => void,
): Promise<TapeAddon> {
  const redactor = createRedactor(options.redact);
  const { path } = options;
  const times = writesTimes(options);
  const ledger = new Ledger(secretsInEnvironment(options.redact || {}, process.env));
  const writing = createWritingRedactor(options.redact, ledger);
  const log = (entry: LogEntry) => report.log(entry);
  if (mode !== "replay") {
    await recoverAll(path, store, () => new TapeWriter(path, { redactor: writing, times, store }), log);
  }
  const tape = mode === "replay" ? await loadWithJournals(path, store, log) : await loadTape(path, store);
  const player = mode === "record" ? undefined : new Player(tape, {
    options,
    redactor,
    misses: () => mode === "replay" ? "refuse" : "forward",
    unmatched: (flow, explanation) => report.unmatched(flow, explanation),
    log,
  });
  const recorder = mode === "replay" ? undefined : new Recorder({
    options,
    redactor,
    writing,
    store,
    keep: mode === "record" ? "replace" : "add",
    log,
  });
  await recorder?.begin();

  let closed: Promise<void> | undefined;
  const records = (flow: Flow) => recorder !== undefined && closed === undefined && flow.source === "upstream";
  const close = async () => {
    player?.close();
    release();
    await recorder?.write();
  };
  return {
    name: "tape",
    mode,
    get unused() {
      return player?.unused ?? [];
    },
    // Hooks that are not there cost nothing while recording.
    ...(player && {
      requestHeaders: (flow: HttpFlow) => player.requestHeaders(flow),
      request: (flow: HttpFlow) => player.request(flow),
      needs: (hook: "request" | "response", flow: HttpFlow) => hook === "request" && player.waitsFor(flow),
      error: (flow: HttpFlow) => player.error(flow),
      tcpStart: async (flow: TcpFlow) => {
        await player.tcpStart(flow);
        if (mode === "replay" && flow.answer === undefined) refuseTcp(flow, options.path, report);
      },
    }),
    keepsBodies(flow) {
      if (flow.type === "http" && player?.waitsFor(flow)) return true;
      if (!records(flow)) return false;
      recorder!.expect();
      return true;
    },
    keepsChunks: (flow) => records(flow) && mayStream(flow.response!),
    greets: (target) => player?.greets(target) ?? false,
    record: (flow) => {
      if (closed === undefined) recorder?.record(flow);
    },
    close: () => closed ??= close(),
  };
}
