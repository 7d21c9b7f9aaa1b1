/**
 * Answers flows from a tape.
 *
 * @module
 */
import { BodyBuffer } from "../flow/body_buffer.ts";
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { isOpenEnded } from "../flow/media_type.ts";
import { FlowResponse } from "../flow/response.ts";
import { ensureShape } from "../flow/shape.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { LogEntry } from "../hooks/addon.ts";
import { Correlator } from "./correlate/correlator.ts";
import type { Bindings } from "./correlate/bindings.ts";
import type { TapeEntry } from "./entry.ts";
import { Explainer } from "./match/explain.ts";
import type { TapeOptions } from "./options.ts";
import { refreshDates } from "./record/dates.ts";
import type { Redactor } from "./redact/redactor.ts";
import { bodySource } from "./streams/body_source.ts";
import { Pace } from "./streams/pace.ts";
import { type Spoken, SpokenEntries } from "./streams/spoken.ts";
import type { Tape } from "./tape.ts";
import { type Bucket, type Taken, TapeIndex } from "./match/tape_index.ts";

/** What a player works with. */
export interface PlayerOptions {
  readonly options: TapeOptions;
  /** What becomes of a request that nothing matches: it goes on to the server, or it is refused. */
  misses(flow: HttpFlow): "forward" | "refuse";
  readonly redactor: Redactor;
  /** What stands for what is recorded. */
  readonly bindings: Bindings;
  unmatched(flow: Flow, explanation: string): void;
  /** A line for the log. */
  log(entry: LogEntry): void;
  /** A flow has been answered. */
  answered?(flow: HttpFlow, entry: TapeEntry): void;
}

/** Answers flows from a tape. */
export class Player {
  readonly #with: PlayerOptions;
  readonly #index: TapeIndex;
  readonly #explainer: Explainer;
  readonly #spoken: SpokenEntries;
  readonly #pace: Pace;
  readonly #correlator: Correlator;
  // Flows whose answer depends on a body that has not arrived.
  readonly #waiting = new WeakSet<HttpFlow>();

  /** @param tape `undefined` when there is none: then nothing matches */
  constructor(tape: Tape | undefined, options: PlayerOptions) {
    this.#with = options;
    this.#correlator = new Correlator(tape?.entries ?? [], options);
    this.#index = new TapeIndex(
      tape?.entries ?? [],
      options.options,
      options.redactor,
      (entries, request) => this.#correlator.prefer(entries, request),
    );
    this.#explainer = new Explainer(
      tape?.entries.filter(({ kind }) => kind !== "tcp"),
      options.options,
      options.redactor,
    );
    this.#pace = new Pace(options.options.latency);
    this.#spoken = new SpokenEntries(tape?.entries ?? [], {
      options: options.options,
      redactor: options.redactor,
      pace: this.#pace,
      correlator: this.#correlator,
      unmatched: (flow, explanation) => options.unmatched(flow, explanation),
      log: (entry) => options.log(entry),
    });
  }

  /** Says nothing any more. */
  close(): void {
    this.#pace.close();
  }

  /** Whether the tape has a raw conversation with a server, in which that may speak first. */
  greets(target: { readonly hostname: string; readonly port: number }): boolean {
    return this.#spoken.greets(target);
  }

  /** Resolves when requests can be looked up; `undefined` when they can at once. */
  get ready(): Promise<void> | undefined {
    return this.#index.ready;
  }

  /** The entries that have not been replayed. */
  get unused(): readonly TapeEntry[] {
    const left = this.#index.unused.filter((entry) => !this.#spoken.has(entry));
    return [...left, ...this.#spoken.unused].sort((a, b) => a.index - b.index);
  }

  /** Whether the flow is answered in the `request` hook. */
  waitsFor(flow: HttpFlow): boolean {
    return this.#waiting.has(flow);
  }

  /** The head of a request is there: answers it, or waits for the body. */
  requestHeaders(flow: HttpFlow): Promise<void> | undefined {
    const { request } = flow;
    if (flow.response !== undefined || flow.error !== undefined) return undefined;
    const spoken = flow.undecided ? undefined : this.#spoken.answer(flow);
    if (spoken !== undefined) return this.#say(flow, spoken);
    const mustBeWhole = this.#index.whole && !request.content.complete;
    const bucket = mustBeWhole ? undefined : this.#index.find(request);
    const mustWait = bucket !== undefined && !request.content.complete && this.#index.needsBody(bucket);
    // Hooks may still change what matches nothing so far; and its body makes for a better explanation.
    const mayChange = bucket === undefined &&
      (this.#with.misses(flow) === "refuse" || (!request.content.complete && this.#correlator.mayMatch(request)));
    // A rule that waits for the body goes before the tape, whatever is on it.
    if (mustBeWhole || mustWait || mayChange || flow.undecided) {
      request.stream = false;
      this.#waiting.add(flow);
      return undefined;
    }
    return this.#answer(flow, bucket);
  }

  /** The whole request is there. */
  request(flow: HttpFlow): Promise<void> | undefined {
    const { content } = flow.request;
    if (content.overflow !== undefined && content.digest === undefined && this.#waiting.has(flow)) {
      return content.overflow.digest.then((digest) => {
        content.digest = digest ?? "";
        return this.request(flow);
      });
    }
    if (!this.#waiting.delete(flow) || flow.response !== undefined || flow.error !== undefined) return undefined;
    const spoken = this.#spoken.answer(flow);
    if (spoken !== undefined) return this.#say(flow, spoken);
    return this.#answer(flow, this.#index.find(flow.request));
  }

  /** A flow begins, whoever answers it. */
  watch(flow: HttpFlow): void {
    const { scheme } = flow.request;
    if (scheme === "ws" || scheme === "wss") this.#correlator.watch(flow);
  }

  /** A flow is over: what its client was given is known. */
  over(flow: Flow): void {
    this.#correlator.over(flow);
  }

  /** A flow has failed: nobody listens to it any more. */
  error(flow: HttpFlow): void {
    this.#spoken.ended(flow);
  }

  /** A raw conversation begins: the tape speaks for the server, if it has one with it. */
  tcpStart(flow: TcpFlow): Promise<void> | undefined {
    this.#correlator.watch(flow);
    return flow.error === undefined && flow.answer === undefined ? this.#spoken.tcp(flow) : undefined;
  }

  async #say(flow: HttpFlow, pending: Promise<Spoken>): Promise<void> {
    const spoken = await pending;
    if (spoken === undefined || flow.error !== undefined) return;
    if ("response" in spoken) {
      flow.source = "tape";
      flow.response = spoken.response;
      // The messages of a WebSocket have times of their own, and with its server nobody can speak a second time.
      if (spoken.entry.kind !== "http") return;
      this.#delay(flow, spoken.entry);
      this.#with.answered?.(flow, spoken.entry);
    } else if (this.#with.misses(flow) === "refuse") {
      if ("explanation" in spoken) this.#refuseWith(flow, spoken.explanation);
      else await this.#refuse(flow, spoken.usedUp);
    }
  }

  /** The answer is as late as it was. */
  #delay(flow: HttpFlow, { wait }: TapeEntry): number {
    let ms = this.#pace.of(wait);
    const late = ms;
    if (late > 0) {
      ensureShape(flow).response.push({
        kind: "latency",
        // Of the head alone: what follows has times of its own.
        draw: () => {
          const drawn = ms;
          ms = 0;
          return drawn;
        },
      });
    }
    return late;
  }

  /** The response of an entry, chunk by chunk where it came so. */
  async #responseOf(flow: HttpFlow, entry: TapeEntry): Promise<FlowResponse | undefined> {
    const { failure, stream } = entry;
    const whole = await entry.response({ stream: true });
    if (whole === undefined) return undefined;
    refreshDates(whole.headers);
    await this.#correlator.apply(flow.request, entry, whole);
    const wait = this.#delay(flow, entry);
    whole.early = entry.informational.filter(({ status }) => status !== 100);
    const chunks = await this.#correlator.applyToChunks(flow.request, entry, await entry.chunks());
    if (stream === undefined || chunks === undefined || flow.request.method === "HEAD") return whole;
    const cut = failure && (() => {
      flow.error ??= { ...failure };
      flow.kill();
    });
    const { status, reason, httpVersion, headers, trailers, early } = whole;
    headers.delete("content-length");
    const source = bodySource(chunks, { open: stream.open, wait, ...(cut && { cut }) }, this.#pace);
    const response = new FlowResponse(status, reason, httpVersion, headers, new BodyBuffer(), source);
    response.early = early ?? [];
    if (trailers !== undefined) response.trailers = trailers;
    // Nobody waits for the end of what may have none.
    response.stream = stream.open || isOpenEnded(headers.get("content-type"));
    return response;
  }

  #answer(flow: HttpFlow, bucket: Bucket | undefined): Promise<void> | undefined {
    const taken = this.#index.take(bucket, flow.request);
    const lost = !(taken instanceof Promise) && taken.entry === undefined && this.#with.misses(flow) === "forward";
    if (lost && !this.#correlator.mayMatch(flow.request)) return undefined;
    return this.#finish(flow, taken);
  }

  async #finish(flow: HttpFlow, pending: Taken | Promise<Taken>): Promise<void> {
    let taken = pending instanceof Promise ? await pending : pending;
    if (taken.entry === undefined && taken.usedUp === 0) {
      const form = await this.#correlator.recordedForm(flow.request);
      if (form !== undefined) taken = await this.#index.take(this.#index.find(form), form);
    }
    if (taken.entry === undefined) {
      if (this.#with.misses(flow) === "refuse") await this.#refuse(flow, taken.usedUp);
      return;
    }
    const { failure } = taken.entry;
    const response = await this.#responseOf(flow, taken.entry);
    // The client may have gone while a body was read.
    if (flow.error !== undefined) return;
    flow.source = "tape";
    if (response !== undefined) flow.response = response;
    this.#correlator.given(flow, response);
    if (failure !== undefined && response?.source === undefined) flow.error = { ...failure };
    this.#with.answered?.(flow, taken.entry);
  }

  async #refuse(flow: HttpFlow, usedUp: number): Promise<void> {
    this.#refuseWith(flow, await this.#explainer.explain(flow.request, usedUp) + this.#correlator.describe());
  }

  #refuseWith(flow: HttpFlow, explanation: string): void {
    if (flow.error === undefined) {
      flow.source = "tape";
      flow.response = FlowResponse.create({
        status: 502,
        headers: { "content-type": "text/plain; charset=utf-8", "x-flowtape-error": "unmatched" },
        body: explanation,
      });
    }
    this.#with.unmatched(flow, explanation);
  }
}
