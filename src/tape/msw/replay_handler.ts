/**
 * A handler of MSW that replays recorded exchanges. It has the shape of one: nothing of MSW is imported.
 *
 * @module
 */
import { FlowRequest } from "../../flow/request.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { TapeIndex } from "../match/tape_index.ts";

/** What MSW gives to a handler. */
interface RunOptions {
  readonly request: Request;
  readonly requestId: string;
}

/** What a handler says of a request that is for it. */
interface RunResult extends RunOptions {
  readonly handler: ReplayHandler;
  readonly response: Response;
  readonly parsedResult: object;
}

/** Replays entries of one method and URL, told apart by the bodies of their requests. */
export class ReplayHandler {
  /** What MSW 2.11 and newer call it. */
  readonly kind = "request";
  /** What MSW 2.10 calls it. */
  readonly __kind = "RequestHandler";
  /** For MSW's lists and messages. */
  readonly info: { readonly header: string; readonly method: string; readonly path: string };
  /** For MSW: whether it has answered. */
  isUsed = false;

  readonly #entries: readonly TapeEntry[];
  readonly #makeIndex: () => TapeIndex;
  #index: TapeIndex;

  /** @param entries at least one; the same request, but for its body */
  constructor(entries: readonly TapeEntry[], options: Pick<TapeOptions, "match" | "afterLast">, redactor: Redactor) {
    const { method, url } = entries[0]!;
    this.info = { header: `${method} ${redactor.url(url)}`, method, path: redactor.url(url) };
    this.#entries = entries;
    this.#makeIndex = () => new TapeIndex(this.#entries, options, redactor);
    this.#index = this.#makeIndex();
  }

  /** Answers a request, if there is an entry for it. */
  async run({ request, requestId }: RunOptions): Promise<RunResult | null> {
    const response = await this.#answer(request);
    if (response === undefined) return null;
    this.isUsed = true;
    const parsedResult = { match: { matches: true, params: {} }, cookies: {} };
    return { handler: this, request, requestId, response, parsedResult };
  }

  /** For MSW: whether there is an entry for a request. */
  async test({ request }: { request: Request }): Promise<boolean> {
    await this.#index.ready;
    const live = this.#index.whole ? await withBody(request) : withoutBody(request);
    return this.#index.find(live) !== undefined;
  }

  /** For MSW, which would log what was answered. */
  log(): void {}

  /** For MSW's `resetHandlers()`: begins again with the first entry. */
  reset(): void {
    this.isUsed = false;
    this.#index = this.#makeIndex();
  }

  /** For MSW's `restoreHandlers()`, which concerns handlers that answer once. */
  restore(): void {}

  /** For MSW: there is nothing to let go of. */
  dispose(): void {}

  async #answer(request: Request): Promise<Response | undefined> {
    await this.#index.ready;
    let live = this.#index.whole ? await withBody(request) : withoutBody(request);
    const bucket = this.#index.find(live);
    if (bucket === undefined) return undefined;
    if (!this.#index.whole && this.#index.needsBody(bucket)) live = await withBody(request);
    const { entry } = await this.#index.take(bucket, live);
    if (entry === undefined) return undefined;
    const response = await entry.response();
    if (response === undefined) return Response.error();
    return platformResponse(response, { method: request.method, brokeOff: entry.failure !== undefined });
  }
}

function withoutBody({ method, url, headers }: Request): FlowRequest {
  return FlowRequest.create({ method, url, headers });
}

async function withBody(request: Request): Promise<FlowRequest> {
  const { method, url, headers } = request;
  return FlowRequest.create({ method, url, headers, body: new Uint8Array(await request.clone().arrayBuffer()) });
}

function platformResponse(
  response: FlowResponse,
  { method, brokeOff }: { method: string; brokeOff: boolean },
): Response {
  const { status, reason, encodedBody } = response;
  const headers = response.headers.toHeaders();
  // The body may have lost its content coding.
  if (method !== "HEAD") headers.delete("content-length");
  const bodiless = method === "HEAD" || [204, 205, 304].includes(status);
  const body = bodiless ? null : brokeOff ? brokenBody(encodedBody) : new Uint8Array(encodedBody);
  // The platform makes none above 599, but servers do.
  const possible = status >= 200 && status <= 599;
  const answer = new Response(body, { status: possible ? status : 200, statusText: reason, headers });
  return possible ? answer : Object.defineProperty(answer, "status", { value: status });
}

/** What arrived, and then the failure. */
function brokenBody(part: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      if (part.length > 0) controller.enqueue(new Uint8Array(part));
      part = part.subarray(part.length);
      queueMicrotask(() => controller.error(new TypeError("the recorded response broke off here")));
    },
  });
}
