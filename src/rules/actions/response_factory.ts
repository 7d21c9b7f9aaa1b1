/**
 * Responses that are described once and sent many times.
 *
 * @module
 */
import type { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Work } from "../action.ts";
import type { Respond } from "./response_shape.ts";

/** Makes the same response again and again; as a piece of work it answers a flow with it. */
export interface ResponseFactory extends Work {
  /** Each flow gets its own copy of the head, because it may be edited, and shares the bytes of the body. */
  make(): FlowResponse;
}

/** Makes the described response. What is wrong with the description is found now, and the work is done now. */
export function responseFactory(response: Respond): ResponseFactory {
  const first = FlowResponse.create(withContentType(response));
  return first.source === undefined ? new Copies(first) : new OnlyOne(first);
}

// A class has no closure to go through: with a thousand rules each step to another object is a look into slow memory.
class Copies implements ResponseFactory {
  readonly needsBody = false;
  readonly #status: number;
  readonly #reason: string;
  readonly #fields: string;
  readonly #content: BodyBuffer;

  constructor({ status, reason, headers, content }: FlowResponse) {
    this.#status = status;
    this.#reason = reason;
    this.#fields = shared([...headers].map(([name, value]) => `${name}: ${value}\r\n`).join(""));
    this.#content = content;
  }

  make(): FlowResponse {
    const headers = FlowHeaders.fromFields(this.#fields);
    return new FlowResponse(this.#status, this.#reason, "1.1", headers, this.#content);
  }

  run(flow: HttpFlow): void {
    flow.response = this.make();
  }
}

class OnlyOne implements ResponseFactory {
  readonly needsBody = false;
  #response: FlowResponse | undefined;

  constructor(response: FlowResponse) {
    this.#response = response;
  }

  make(): FlowResponse {
    const response = this.#response;
    if (response === undefined) {
      throw new FlowtapeError(
        "RESPOND_STREAM_USED",
        "the stream of respond() has been sent to an earlier flow: use respond(() => ({ body: makeStream() }))",
      );
    }
    this.#response = undefined;
    return response;
  }

  run(flow: HttpFlow): void {
    flow.response = this.make();
  }
}

/** Of a thousand rules most have the same header: one string for all of them stays in the caches of the processor. */
function shared(fields: string): string {
  const known = FIELDS.get(fields);
  if (known !== undefined) return known;
  if (FIELDS.size < MAX_SHARED) FIELDS.set(fields, fields);
  return fields;
}

const FIELDS = new Map<string, string>();
const MAX_SHARED = 100;

/** Text says that it is text, as the platform's `Response` does. */
function withContentType(response: Respond): Respond {
  if (typeof response.body !== "string" || response.body === "") return response;
  const headers = FlowHeaders.from(response.headers ?? []);
  if (!headers.has("content-type")) headers.append("content-type", "text/plain;charset=UTF-8");
  return { ...response, headers };
}
