/**
 * Responses that are described once and sent many times.
 *
 * @module
 */
import type { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Respond } from "./response_shape.ts";

/** Makes the same response again and again. */
export interface ResponseFactory {
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
  readonly #status: number;
  readonly #reason: string;
  readonly #fields: string;
  readonly #content: BodyBuffer;

  constructor({ status, reason, headers, content }: FlowResponse) {
    this.#status = status;
    this.#reason = reason;
    this.#fields = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    this.#content = content;
  }

  make(): FlowResponse {
    const headers = FlowHeaders.fromFields(this.#fields);
    return new FlowResponse(this.#status, this.#reason, "1.1", headers, this.#content);
  }
}

class OnlyOne implements ResponseFactory {
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
}

/** Text says that it is text, as the platform's `Response` does. */
function withContentType(response: Respond): Respond {
  if (typeof response.body !== "string" || response.body === "") return response;
  const headers = FlowHeaders.from(response.headers ?? []);
  if (!headers.has("content-type")) headers.append("content-type", "text/plain;charset=UTF-8");
  return { ...response, headers };
}
