/**
 * The tape of a proxy, as an addon.
 *
 * @module
 */
import process from "node:process";
import type { OverflowPlan } from "../flow/body_overflow.ts";
import type { Flow } from "../flow/flow.ts";
import type { Message } from "../flow/message.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Addon, LogEntry } from "../hooks/addon.ts";
import { Bindings } from "./correlate/bindings.ts";
import type { TapeEntry } from "./entry.ts";
import { checkTapeOptions, type TapeMode, type TapeOptions } from "./options.ts";
import { type Env, Modes, readEnv, resolveMode } from "./modes.ts";
import { Player } from "./player.ts";
import { Recorder } from "./recorder.ts";
import { mayStream } from "./streams/chunk.ts";
import { writesTimes } from "./streams/pace.ts";
import { startReading } from "./record/live.ts";
import { identityOf } from "./record/locked.ts";
import { recoverAll } from "./record/recover.ts";
import { numbersOnTape } from "./record/renumber.ts";
import { secretsInEnvironment } from "./redact/options.ts";
import { Ledger } from "./redact/placeholders.ts";
import { createRedactor, createWritingRedactor } from "./redact/redactor.ts";
import { spillPlan } from "./spill/plan.ts";
import { refuseTcp } from "./refuse_tcp.ts";
import { stateOf } from "./state.ts";
import { Steering } from "./steering.ts";
import { fileStore } from "./store/file_store.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { loadTape, loadWithJournals } from "./tape.ts";
import { UnsafeGuard } from "./unsafe.ts";
import { checkExpiry } from "./upkeep/expiry.ts";
import { replacedBy } from "./upkeep/anew.ts";
import { dealWithUnused } from "./upkeep/unused.ts";
import { noteUse } from "./upkeep/usage.ts";
import type { Drift } from "./verify/drift.ts";
import { type AskServer, Verifier } from "./verify/verifier.ts";
import { TapeWriter } from "./writer.ts";

/** Who is told what happens with a tape. */
export interface TapeReport {
  /** In replay mode nothing matched the flow; it has been answered with the explanation. */
  unmatched(flow: Flow, explanation: string): void;
  /** A line for the log. */
  log(entry: LogEntry): void;
  /** Sends a request to its server, for mode `verify`. */
  ask?: AskServer;
  /** The environment variables; those of this process by default. */
  readonly env?: Env;
}

/** An addon that replays, and that the wire tells what to record. */
export interface TapeAddon extends Addon {
  /** What `auto` has become, or the mode that was asked for; that of flows for which there is no other. */
  readonly mode: TapeMode;
  /** Whether no flow may reach the network. */
  readonly offline: boolean;
  /** What mode `verify` has found so far. */
  readonly drift: readonly Drift[];
  /** The entries that have not been replayed; none when nothing is replayed. */
  readonly unused: readonly TapeEntry[];
  /**
   * Whether the bodies of this flow must be kept whole, however large. May be asked once the `requestHeaders` hooks have
   * run, and again for the response.
   */
  keepsBodies(flow: Flow): boolean;
  /** What becomes of the body of a message when it is too large for memory; `undefined`: it is kept as a whole, or cut. */
  overflow(flow: HttpFlow, message: Message): OverflowPlan | undefined;
  /** Whether the chunks of a response are to be told apart, once its head has come. */
  keepsChunks(flow: HttpFlow): boolean;
  /** Whether the tape speaks first in a raw conversation with this server. */
  greets(target: { readonly hostname: string; readonly port: number }): boolean;
  /** Takes a flow that is done. To be called once for every one; those that do not belong on the tape are let go. */
  record(flow: Flow): void;
  /** The test has failed: what was recorded is not written, and nothing is said of entries that were not used. */
  discard(): void;
  /** Resolves when every server that mode `verify` asks has answered. */
  settle(): Promise<void>;
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
  const env = readEnv(report.env);
  const main = resolveMode(options.mode, env);
  await noteUse(options.path, env.FLOWTAPE_USAGE);
  if (main === "passthrough" && !options.modes?.length) {
    return {
      name: "tape",
      mode: main,
      offline: false,
      unused: [],
      drift: [],
      discard: () => {},
      settle: () => Promise.resolve(),
      keepsBodies: () => false,
      overflow: () => undefined,
      keepsChunks: () => false,
      greets: () => false,
      record: () => {},
      close: () => Promise.resolve(),
    };
  }
  const release = startReading(await identityOf(store, options.path));
  try {
    const state = await stateOf(options, store);
    const mayRecord = new Modes(options, { exists: false, env }).some("auto", "record");
    const expired = checkExpiry(options, { state, mayRecord, log: (entry) => report.log(entry) });
    const modes = new Modes(options, { exists: state.exists, expired, env });
    return await open(options, modes, report, store, release);
  } catch (error) {
    release();
    throw error;
  }
}

async function open(
  options: TapeOptions,
  modes: Modes,
  report: TapeReport,
  store: TapeStore,
  release: () => void,
): Promise<TapeAddon> {
  const redactor = createRedactor(options.redact);
  const { path } = options;
  const times = writesTimes(options);
  const restored = secretsInEnvironment(options.redact || {}, report.env ?? process.env);
  const bindings = new Bindings(restored);
  const ledger = new Ledger(restored, (secret) => bindings.placeholderOf(secret));
  const writing = createWritingRedactor(options.redact, ledger);
  const log = (entry: LogEntry) => report.log(entry);
  const records = modes.some("auto", "record");
  if (records) {
    await recoverAll(path, store, () => new TapeWriter(path, { redactor: writing, times, store }), log);
  }
  const tape = records ? await loadTape(path, store) : await loadWithJournals(path, store, log);
  // Of a tape that is replaced, nothing is left.
  const adds = records && !modes.all("record");
  const there = adds ? await numbersOnTape(path, store) : undefined;
  ledger.reserve(there?.next ?? new Map());
  const verifier = !modes.some("verify") || report.ask === undefined
    ? undefined
    : new Verifier({ path, options: options.verify ?? {}, redactor, ask: report.ask, log });
  let missed = false;
  const unmatched = (flow: Flow, explanation: string) => {
    missed = true;
    report.unmatched(flow, explanation);
  };
  const player: Player | undefined = !modes.some("auto", "replay", "verify") ? undefined : new Player(tape, {
    options,
    redactor,
    bindings,
    misses: (flow) => steering.modeOf(flow) === "auto" ? "forward" : "refuse",
    unmatched,
    answered(flow, entry) {
      if (steering.modeOf(flow) === "verify") verifier?.check(flow, entry);
    },
    log,
  });
  await player?.ready;
  const guard = options.blockUnsafe && records ? new UnsafeGuard(options.blockUnsafe, redactor, unmatched) : undefined;
  const steering: Steering = new Steering({ modes, player, guard, verifier });
  // The matchers of which anything was recorded: what they match on the tape is replaced.
  const places = new Set<number>();
  const anew = (flow: Flow) => {
    if (flow.type !== "http" || steering.modeOf(flow) !== "record") return false;
    places.add(steering.placeOf(flow));
    return true;
  };
  const recorder = !records ? undefined : new Recorder({
    options,
    redactor,
    writing,
    secrets: () => ledger.size,
    words: () => ledger.words,
    store,
    keep: adds ? "add" : "replace",
    ...(there && { known: Object.fromEntries(there.next), stamp: there.stamp }),
    ...(adds && { anew, replaced: (items) => replacedBy(items, { modes, places, path, store }) }),
    log,
  });
  await recorder?.begin();

  let closed: Promise<void> | undefined;
  let discarded = false;
  const isRecorded = (flow: Flow) =>
    recorder !== undefined && closed === undefined && ["auto", "record"].includes(steering.modeOf(flow));
  const close = async () => {
    player?.close();
    release();
    if (discarded) return await recorder?.discard();
    await allOf([
      async () => {
        const unused = player?.unused ?? [];
        const policy = options.unused === "prune" && modes.ci ? "warn" : options.unused;
        const writer = () => new TapeWriter(path, { redactor: writing, times, store });
        const all = tape?.entries.length ?? 0;
        await dealWithUnused(unused, { policy, all, modes, missed, path, store, redactor, writer, log });
      },
      () => recorder?.write(),
      () => verifier?.report(),
    ]);
  };
  return {
    name: "tape",
    mode: modes.main,
    offline: modes.all("replay", "verify"),
    get unused() {
      return player?.unused ?? [];
    },
    get drift() {
      return verifier?.drift ?? [];
    },
    // Hooks that are not there cost nothing while recording.
    ...(steering.needed && {
      requestHeaders: (flow: HttpFlow) => steering.requestHeaders(flow),
      request: (flow: HttpFlow) => steering.request(flow),
      needs: (hook: "request" | "response", flow: HttpFlow) => hook === "request" && steering.waitsFor(flow),
      error: (flow: HttpFlow) => player?.error(flow),
      tcpStart: async (flow: TcpFlow) => {
        const mode = steering.modeOf(flow);
        if (mode === "passthrough" || flow.error !== undefined) return;
        if (mode !== "record") await player!.tcpStart(flow);
        if (flow.answer !== undefined || flow.error !== undefined) return;
        // TLS that passes unopened is not recorded.
        if (mode !== "auto" && mode !== "record") refuseTcp(flow, options.path, report);
        else if (flow.serverName === undefined && guard?.blocks(flow)) guard.refuseTcp(flow);
      },
    }),
    keepsBodies(flow) {
      if (flow.type === "http" && steering.waitsFor(flow)) return true;
      if (flow.source !== "upstream" || !isRecorded(flow)) return false;
      recorder!.expect();
      return true;
    },
    overflow(flow, message) {
      // Nobody gets a request that is replayed: what it is compared by is enough.
      if (message === flow.request && steering.waitsFor(flow)) {
        return modes.all("replay") ? spillPlan(message, { redactor, open: undefined }) : undefined;
      }
      return flow.source === "upstream" && isRecorded(flow) ? recorder!.overflow(message) : undefined;
    },
    keepsChunks: (flow) => flow.source === "upstream" && isRecorded(flow) && mayStream(flow.response!),
    greets: (target) => player?.greets(target) ?? false,
    record: (flow) => {
      player?.over(flow);
      if (isRecorded(flow)) recorder!.record(flow);
    },
    discard() {
      discarded = true;
    },
    settle: () => verifier?.settle() ?? Promise.resolve(),
    close: () => closed ??= close(),
  };
}

/** Does all of it, whatever becomes of the others; then throws what there is to throw. */
async function allOf(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map((one) => (one as Error).message).join("\n\n"));
}
