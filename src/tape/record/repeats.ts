/**
 * What is said again is not redacted and encoded again: pages that are polled, assets, the same question in every test.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Flow } from "../../flow/flow.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { FlowResponse } from "../../flow/response.ts";

/** How much is remembered: exchanges, bytes in all, bytes of one. */
const MOST = 500;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_EACH = 64 * 1024;

interface Remembered<T> {
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  readonly result: T;
  readonly size: number;
}

/** Remembers what became of exchanges. */
export class Repeats<T> {
  readonly #known = new Map<string, Remembered<T>>();
  #bytes = 0;
  #generation = -1;
  // What is not found is kept next.
  #last: { readonly flow: Flow; readonly key: string } | undefined;

  /**
   * What became of the same exchange before.
   *
   * @param generation another one: what was done before would be done otherwise now
   */
  find(flow: Flow, generation: number): T | undefined {
    if (generation !== this.#generation) {
      this.#known.clear();
      this.#bytes = 0;
      this.#generation = generation;
      return undefined;
    }
    const response = plainResponse(flow);
    if (response === undefined) return undefined;
    const { request } = flow as HttpFlow;
    const key = keyOf(flow as HttpFlow, response);
    this.#last = { flow, key };
    const known = this.#known.get(key);
    return known !== undefined && same(known.response, response.content.bytes()) &&
        same(known.request, request.content.bytes())
      ? known.result
      : undefined;
  }

  /** Remembers what became of an exchange. */
  keep(flow: Flow, result: T): void {
    const response = plainResponse(flow);
    if (response === undefined) return;
    const { request } = flow as HttpFlow;
    const key = this.#last?.flow === flow ? this.#last.key : keyOf(flow as HttpFlow, response);
    this.#last = undefined;
    const size = 2 * key.length + request.content.size + response.content.size;
    if (size > MOST_EACH) return;
    this.#forget(key);
    for (const [oldest] of this.#known) {
      if (this.#known.size < MOST && this.#bytes + size <= MOST_BYTES) break;
      this.#forget(oldest);
    }
    this.#known.set(key, { request: request.content.bytes(), response: response.content.bytes(), result, size });
    this.#bytes += size;
  }

  #forget(key: string): void {
    this.#bytes -= this.#known.get(key)?.size ?? 0;
    this.#known.delete(key);
  }
}

/** The response of an exchange in which all that counts are heads and bodies. */
function plainResponse(flow: Flow): FlowResponse | undefined {
  if (flow.type !== "http") return undefined;
  const { request, error, websocket, comment } = flow;
  const response = flow.original ?? flow.response;
  const plain = response !== undefined && error === undefined && websocket === undefined && comment === undefined &&
    request.trailers === undefined && response.trailers === undefined && response.content.marks === undefined &&
    response.content.complete && request.content.complete && flow.informational.length === 0;
  return plain ? response : undefined;
}

function keyOf({ request }: HttpFlow, response: FlowResponse): string {
  return `${request.method} ${request.url} ${request.httpVersion}\n${request.headers.fields}\n` +
    `${response.status} ${response.httpVersion} ${response.reason}\n${response.headers.fields}`;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && (a.length === 0 || Buffer.compare(a, b) === 0));
}
