/**
 * The client's side of one exchange, whatever protocol it speaks.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { Cut } from "../../flow/shape.ts";
import type { BodySink } from "./body_pipe.ts";
import type { ResponseOut } from "./response_out.ts";

/** What an exchange needs of the client's connection. */
export interface ClientStream {
  /** Lets the request body come. */
  readBody(): void;
  /** Sends an informational response. `fields` are raw lines. `false`: no more until {@linkcode ClientStream.drained}. */
  inform(status: number, reason: string, fields: string): boolean;
  /** Sends the head of the final response; the body goes into the sink. */
  respond(out: ResponseOut): BodySink;
  /** Calls once when what was sent has been taken. */
  drained(callback: () => void): void;
  /** Cuts the connection or resets the stream, so that the client sees that something is missing. */
  abort(error?: FlowError): void;
  /** Breaks the connection or stream in a certain way. */
  cut(cut: Cut, error: FlowError): void;
  /** The exchange is over. */
  done(): void;
}
