/**
 * Records flows: each is redacted, encoded and put into a journal as soon as it is over, and the journal becomes the tape when the proxy
 * is closed. What was recorded is never in memory for longer than that takes.
 *
 * @module
 */
import { clearImmediate, setImmediate } from "node:timers";
import type { LogEntry } from "../hooks/addon.ts";
import { type FlowtapeError, TapeError } from "../flow/error.ts";
import type { OverflowPlan } from "../flow/body_overflow.ts";
import type { Flow } from "../flow/flow.ts";
import type { Message } from "../flow/message.ts";
import { belongs } from "./belongs.ts";
import { bodyFolder, type HarEntry } from "./har.ts";
import type { TapeOptions } from "./options.ts";
import { settleLength } from "./encode.ts";
import { type ExchangeParts, partsOfFlow } from "./parts.ts";
import { findJournals } from "./record/found.ts";
import { encoded, type EncodedExchange, type Journal, type Keep, type NewLine } from "./record/journal.ts";
import type { Kept } from "./record/kept.ts";
import { locked } from "./record/locked.ts";
import { momentsOf } from "./record/moments.ts";
import { PlainExchanges } from "./record/plain_exchange.ts";
import { Recording } from "./record/recording.ts";
import { SecretLeftError } from "./redact/gate.ts";
import { type HeldEntry, heldEntry, holdsSecret } from "./redact/held.ts";
import { Repeats } from "./record/repeats.ts";
import type { Redactor } from "./redact/redactor.ts";
import { thisProcess } from "./store/owner.ts";
import { spillPlan } from "./spill/plan.ts";
import { Spill } from "./spill/spill.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { notWritten, whyNot } from "./store/why.ts";
import { writesTimes } from "./streams/pace.ts";
import { type TcpParts, tcpPartsOf } from "./streams/said.ts";
import { dayOf } from "./upkeep/age.ts";
import { TapeWriter } from "./writer.ts";

/** What a recorder works with. */
export interface RecorderOptions {
  readonly options: TapeOptions;
  /** `add`: the entries of the tape stay. `replace`: a new tape takes its place. */
  readonly keep: Keep;
  /** For what is said. */
  readonly redactor: Redactor;
  /** For what is written. */
  readonly writing: Redactor;
  readonly store: TapeStore;
  /** How far the numbers of secrets go on the tape that is added to. */
  readonly known?: Readonly<Record<string, number>> | undefined;
  /** That tape as it was when it was opened. */
  readonly stamp?: string | undefined;
  /** How many secrets are known: what comes after a new one may be written in another way. */
  secrets?(): number;
  /** How many of them are taken out wherever they stand. */
  words?(): number;
  /** Whether a flow takes the place of what its matcher matches on the tape. */
  anew?(flow: Flow): boolean;
  /** The entries of the tape that such flows replace. */
  replaced?(items: readonly Kept[]): Promise<ReadonlySet<Kept>>;
  log(entry: LogEntry): void;
}

/** Records flows. */
export class Recorder {
  readonly #with: RecorderOptions;
  readonly #writer: TapeWriter;
  readonly #times: boolean;
  readonly #settled: () => Promise<void>;
  readonly #cut: string[] = [];
  // Exchanges that look as if they held a secret: as long as there are any, nothing becomes a tape.
  readonly #held: HeldEntry[] = [];
  readonly #working = new Set<Promise<void>>();
  // The journal, once it is there.
  #journal: Journal | undefined;
  #lines: NewLine[] = [];
  #turn: NodeJS.Immediate | undefined;
  readonly #repeats = new Repeats<EncodedExchange>();
  readonly #plain: PlainExchanges;
  // How many have come whose turn is still to come: secrets are numbered in the order in which flows end.
  #before = 0;
  #recording: Promise<Recording> | undefined;
  #failed: { readonly error: FlowtapeError } | undefined;

  /** @param options where and how */
  constructor(options: RecorderOptions) {
    const { options: { path }, writing, store } = options;
    const times = this.#times = writesTimes(options.options);
    this.#with = options;
    // Who is just finishing a recording does not know of this one; who finishes later does.
    const settled = () => locked(store, path, () => Promise.resolve());
    this.#settled = settled;
    const writer = this.#writer = new TapeWriter(path, { redactor: writing, times, store, settled });
    this.#plain = new PlainExchanges({
      redactor: writing,
      keepBody: (bytes, contentType) => writer.keepNow(bytes, contentType),
      words: options.words ?? options.secrets,
    });
  }

  /** A recording that is to replace a tape can be seen by others from its start: what they write meanwhile is not what it replaces. */
  async begin(): Promise<void> {
    await thisProcess();
    if (this.#with.keep === "replace") await this.#begun().then(this.#settled).catch((error) => this.#fail(error));
  }

  /** Something will be recorded soon. */
  expect(): void {
    if (this.#recording === undefined) this.#begun().catch((error) => this.#fail(error));
  }

  /** What becomes of a body of a flow that will be recorded, when it is large. */
  overflow(message: Message): OverflowPlan | undefined {
    const { options: { path }, redactor, writing, store } = this.#with;
    if (store.begin === undefined) return undefined;
    // The journal must be there first: others leave the files alone that are beside one.
    const open = async () => (await this.#begun(), await store.begin!(bodyFolder(path)));
    return spillPlan(message, { redactor: writing, alike: redactor, open });
  }

  /** Takes a flow that is over, if it belongs on the tape. */
  record(flow: Flow): void {
    const verdict = belongs(flow);
    if (verdict.kind !== "record" || this.#failed !== undefined) this.#letGo(flow);
    if (verdict.kind === "warn") {
      this.#with.log({ level: "warn", message: `not recorded (${verdict.why}): ${this.#name(flow)}` });
    } else if (verdict.kind === "cut") {
      this.#leaveOut(`${this.#name(flow)}: ${verdict.what}`);
    } else if (verdict.kind === "record" && this.#failed === undefined) {
      const exchange = this.#atOnce(flow);
      if (exchange !== undefined) this.#put(flow, exchange, this.#journal!);
      else this.#track(this.#keep(flow));
    }
  }

  /**
   * Puts what was recorded on the tape.
   *
   * @throws {TapeError} `TAPE_NOT_WRITTEN`; `TAPE_HOLDS_SECRET`: nothing is written; `TAPE_BODY_TRUNCATED` after everything else has been written
   */
  async write(): Promise<void> {
    await this.#written();
    const recording = await this.#recording?.catch(() => undefined);
    const { options: { path }, keep, log } = this.#with;
    if (this.#failed !== undefined) {
      const { error } = this.#failed;
      if (recording === undefined || recording.size === 0 || this.#held.length > 0) {
        await this.#forget(recording).catch(() => {});
        throw error;
      }
      await recording.leave();
      throw withPlace(error, recording.place, "What was recorded until then");
    }
    if (this.#held.length > 0) {
      await this.#forget(recording);
      throw holdsSecret(path, this.#held);
    }
    if (recording !== undefined && recording.size > 0) {
      await this.#finish(recording);
    } else {
      await recording?.discard();
      if (keep === "replace" && this.#cut.length === 0) {
        log({ level: "warn", message: `nothing was recorded: the tape ${path} is left as it was` });
      }
    }
    if (this.#cut.length > 0) {
      throw new TapeError(
        "TAPE_BODY_TRUNCATED",
        `${path} lacks exchanges whose bodies are larger than the limit for what is kept:\n  ` + this.#cut.join("\n  "),
      );
    }
  }

  /** Leaves the tape as it was. */
  async discard(): Promise<void> {
    await this.#written();
    const recording = await this.#recording?.catch(() => undefined);
    await this.#forget(recording);
  }

  async #forget(recording: Recording | undefined): Promise<void> {
    const { options: { path }, store } = this.#with;
    await recording?.discard();
    await locked(store, path, async () => {
      // Another recording may have seen that a body is there already, and refer to it.
      const { live, over } = await findJournals(store, bodyFolder(path));
      if (live === 0 && over.length === 0) await this.#writer.abandon();
    });
  }

  async #finish(recording: Recording): Promise<void> {
    try {
      await recording.finish();
    } catch (error) {
      if (error instanceof TapeError && error.code === "TAPE_TOO_LARGE") {
        await this.#forget(recording);
        throw error;
      }
      if (!(error instanceof TapeError)) throw error;
      throw withPlace(error, recording.place, "What was recorded");
    }
  }

  // What can be encoded without waiting is: promises cost more than the rest.
  #atOnce(flow: Flow): EncodedExchange | undefined {
    if (this.#times || this.#journal === undefined || this.#before > 0) return undefined;
    const repeated = this.#repeated(flow);
    if (repeated !== undefined) return repeated;
    if (flow.type !== "http" || isLarge(flow.request) || isLarge(flow.original ?? flow.response)) return undefined;
    try {
      const exchange = this.#plain.encode(partsOfFlow(flow));
      if (exchange !== undefined) this.#repeats.keep(flow, exchange);
      return exchange;
    } catch {
      // What is wrong comes up once more, and is dealt with there.
      return undefined;
    }
  }

  async #keep(flow: Flow): Promise<void> {
    this.#before++;
    try {
      const { journal } = await this.#begun();
      this.#before--;
      const exchange = this.#repeated(flow) ?? await this.#encode(flow);
      this.#journal = journal;
      if (exchange !== undefined && this.#failed === undefined) this.#put(flow, exchange, journal);
    } catch (error) {
      this.#fail(error);
    }
  }

  // What is over in one turn of the event loop is written at once: that is most of what writing costs.
  #put(flow: Flow, exchange: EncodedExchange, journal: Journal): void {
    this.#lines.push({ moments: momentsOf(flow), anew: this.#with.anew?.(flow) === true, exchange });
    this.#turn ??= setImmediate(() => this.#flush(journal));
  }

  #track(action: Promise<void>): void {
    const work = action.finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #written(): Promise<void> {
    while (this.#working.size > 0 || this.#turn !== undefined) {
      if (this.#turn !== undefined) this.#flush(this.#journal!);
      await Promise.all(this.#working);
    }
  }

  #flush(journal: Journal): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const lines = this.#lines;
    this.#lines = [];
    try {
      const written = journal.append(lines);
      if (written !== undefined) this.#track(written.catch((error) => this.#fail(error)));
    } catch (error) {
      this.#fail(error);
    }
  }

  #repeated(flow: Flow): EncodedExchange | undefined {
    return this.#times ? undefined : this.#repeats.find(flow, this.#with.secrets?.() ?? 0);
  }

  async #encode(flow: Flow): Promise<EncodedExchange | undefined> {
    const parts = flow.type === "http" ? partsOfFlow(flow) : tcpPartsOf(flow);
    const entry = await this.#encodeParts(flow, parts).catch((error) => this.#hold(flow, parts, error));
    if (entry === undefined) {
      this.#letGo(flow);
      return undefined;
    }
    const exchange = encoded(entry);
    if (!this.#times) this.#repeats.keep(flow, exchange);
    return exchange;
  }

  async #encodeParts(flow: Flow, parts: ExchangeParts | TcpParts): Promise<HarEntry | undefined> {
    const spills = spillsOf(flow);
    for (const { spill, which } of spills) {
      try {
        await spill.result;
      } catch (error) {
        if (error instanceof SecretLeftError) throw error;
        const why = error instanceof Error ? error.message : String(error);
        this.#leaveOut(`${this.#name(flow)}: the ${which} body could not be recorded while it passed: ${why}`);
        return undefined;
      }
    }
    const entry = await this.#writer.encode(parts);
    for (const { spill, which, contentType, coded, passed } of spills) {
      const { size } = await spill.result;
      const body = { mimeType: contentType ?? "", _file: await this.#writer.keepSpill(spill, contentType) };
      if (which === "response") entry.response.content = { size, ...body };
      else entry.request.postData = body;
      const message = entry[which];
      message.bodySize = coded ? -1 : size;
      settleLength(message.headers, coded ? 0 : size - passed);
    }
    return entry;
  }

  #leaveOut(message: string): void {
    this.#cut.push(message);
    this.#with.log({ level: "error", message: `not recorded: ${message}` });
  }

  // What has gone to disk of a flow that is not recorded.
  #letGo(flow: Flow): void {
    for (const { spill } of spillsOf(flow)) this.#track(spill.discard());
  }

  async #hold(flow: Flow, parts: ExchangeParts | TcpParts, error: unknown): Promise<undefined> {
    if (!(error instanceof SecretLeftError)) throw error;
    this.#held.push(await heldEntry(this.#name(flow), parts, error));
    return undefined;
  }

  #begun(): Promise<Recording> {
    const { options: { path, maxBytes, expires }, keep, store, replaced, known, stamp, log } = this.#with;
    const day = expires && dayOf(Date.now());
    return this.#recording ??= Recording.begin({
      path,
      keep,
      store,
      writer: this.#writer,
      replaced,
      known,
      stamp,
      maxBytes,
      day,
      log,
    });
  }

  #fail(cause: unknown): void {
    if (this.#failed !== undefined) return;
    const { path } = this.#with.options;
    const error = notWritten(path, cause);
    this.#failed = { error };
    const what = cause === error
      ? `recording has stopped: ${error.message}`
      : `recording on ${path} has stopped: ${whyNot(cause)}`;
    this.#with.log({ level: "error", message: what });
  }

  #name(flow: Flow): string {
    if (flow.type === "tcp") return `TCP ${flow.hostname}:${flow.port}`;
    return `${flow.request.method} ${this.#with.redactor.url(flow.request.url)}`;
  }
}

function withPlace(error: FlowtapeError, place: string, what: string): TapeError {
  const kept = `${what} is in ${place}: the next start that records puts it on the tape.`;
  return new TapeError(error.code, `${error.message} ${kept}`, { cause: error });
}

interface MessageSpill {
  readonly spill: Spill;
  readonly which: "request" | "response";
  readonly contentType: string | null;
  /** It has a content coding, which the file has not. */
  readonly coded: boolean;
  /** How many bytes it had on the wire. */
  readonly passed: number;
}

function isLarge(message: Message | undefined): boolean {
  return message?.content.overflow !== undefined;
}

function spillsOf(flow: Flow): MessageSpill[] {
  if (flow.type !== "http") return [];
  const found: MessageSpill[] = [];
  const look = (message: Message | undefined, which: MessageSpill["which"]) => {
    const spill = message?.content.overflow;
    if (!(spill instanceof Spill)) return;
    const { headers, content } = message!;
    const coded = headers.has("content-encoding");
    found.push({ spill, which, contentType: headers.get("content-type"), coded, passed: content.size });
  };
  look(flow.request, "request");
  look(flow.original ?? flow.response, "response");
  return found;
}
