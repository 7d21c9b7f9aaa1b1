/**
 * Answers flows from a tape.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import { FlowResponse } from "../flow/response.ts";
import type { TapeEntry } from "./entry.ts";
import { Explainer } from "./match/explain.ts";
import type { TapeOptions } from "./options.ts";
import type { Redactor } from "./redact/redactor.ts";
import type { Tape } from "./tape.ts";
import { type Bucket, type Taken, TapeIndex } from "./match/tape_index.ts";

/** What a player works with. */
export interface PlayerOptions {
  readonly options: TapeOptions;
  /** What becomes of a request that nothing matches: it goes on to the server, or it is refused. */
  misses(flow: HttpFlow): "forward" | "refuse";
  readonly redactor: Redactor;
  unmatched(flow: HttpFlow, explanation: string): void;
  /** A flow has been answered. */
  answered?(flow: HttpFlow, entry: TapeEntry): void;
}

/** Answers flows from a tape. */
export class Player {
  readonly #with: PlayerOptions;
  readonly #index: TapeIndex;
  readonly #explainer: Explainer;
  // Flows whose answer depends on a body that has not arrived.
  readonly #waiting = new WeakSet<HttpFlow>();

  /** @param tape `undefined` when there is none: then nothing matches */
  constructor(tape: Tape | undefined, options: PlayerOptions) {
    this.#with = options;
    this.#index = new TapeIndex(tape?.entries ?? [], options.options, options.redactor);
    this.#explainer = new Explainer(tape?.entries, options.options, options.redactor);
  }

  /** Resolves when requests can be looked up; `undefined` when they can at once. */
  get ready(): Promise<void> | undefined {
    return this.#index.ready;
  }

  /** The entries that have not been replayed. */
  get unused(): readonly TapeEntry[] {
    return this.#index.unused;
  }

  /** Whether the flow is answered in the `request` hook. */
  waitsFor(flow: HttpFlow): boolean {
    return this.#waiting.has(flow);
  }

  /** The head of a request is there: answers it, or waits for the body. */
  requestHeaders(flow: HttpFlow): Promise<void> | undefined {
    if (flow.response !== undefined || flow.error !== undefined) return undefined;
    const { request } = flow;
    const mustBeWhole = this.#index.whole && !request.content.complete;
    const bucket = mustBeWhole ? undefined : this.#index.find(request);
    const mustWait = bucket !== undefined && !request.content.complete && this.#index.needsBody(bucket);
    // Hooks may still change what matches nothing so far; and its body makes for a better explanation.
    const mayChange = bucket === undefined && this.#with.misses(flow) === "refuse";
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
    if (!this.#waiting.delete(flow) || flow.response !== undefined || flow.error !== undefined) return undefined;
    return this.#answer(flow, this.#index.find(flow.request));
  }

  #answer(flow: HttpFlow, bucket: Bucket | undefined): Promise<void> | undefined {
    const taken = this.#index.take(bucket, flow.request);
    if (!(taken instanceof Promise) && taken.entry === undefined && this.#with.misses(flow) === "forward") {
      return undefined;
    }
    return this.#finish(flow, taken);
  }

  async #finish(flow: HttpFlow, pending: Taken | Promise<Taken>): Promise<void> {
    const taken = pending instanceof Promise ? await pending : pending;
    if (taken.entry === undefined) {
      if (this.#with.misses(flow) === "refuse") await this.#refuse(flow, taken.usedUp);
      return;
    }
    const { failure } = taken.entry;
    const response = await taken.entry.response();
    // The client may have gone while a body was read.
    if (flow.error !== undefined) return;
    flow.source = "tape";
    if (response !== undefined) flow.response = response;
    if (failure !== undefined) flow.error = { ...failure };
    this.#with.answered?.(flow, taken.entry);
  }

  async #refuse(flow: HttpFlow, usedUp: number): Promise<void> {
    const explanation = await this.#explainer.explain(flow.request, usedUp);
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
