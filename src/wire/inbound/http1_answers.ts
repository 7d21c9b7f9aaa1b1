/**
 * What a client of HTTP/1.1 is told, and how its connection ends.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Cut } from "../../flow/shape.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import { bodyWriter } from "../exchange/body_writer.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import type { RequestHead } from "../http1/head.ts";
import { statusLine } from "../http1/serializer.ts";
import { Outgoing } from "../outgoing.ts";
import { resetConnection } from "./reset.ts";
import { clientHead } from "./response_head.ts";

/** The sending side of a client's connection: one response after the other. */
export class Http1Answers {
  /** Whether there will be another response on this connection. */
  keepAlive = true;
  /** The client waits for `100 Continue` before it sends its body. */
  hesitant = false;

  readonly #socket: Duplex;
  readonly #out: Outgoing;
  #version: RequestHead["version"] | undefined;
  #untilClose = false;

  /** @param socket the client's connection */
  constructor(socket: Duplex) {
    this.#socket = socket;
    this.#out = new Outgoing(socket);
  }

  /** What follows answers this request. */
  begin(head: RequestHead): void {
    this.#version = head.version;
    this.hesitant = head.expectContinue && head.framing.kind !== "none";
    this.keepAlive = head.keepAlive;
  }

  /** Sends an informational response. `false`: no more until {@linkcode Http1Answers.drained}. */
  inform(status: number, reason: string, fields: string): boolean {
    // HTTP/1.0 has no informational responses (RFC 9110 section 15.2).
    return this.#version !== "1.1" || this.#out.push(`${statusLine(status, reason)}${fields}\r\n`);
  }

  /** Sends the head of the final response; the body goes into the sink. */
  respond(out: ResponseOut): BodySink {
    // Nobody could tell whether the body comes or the next request (RFC 9110 section 10.1.1).
    const { text, framing, keepAlive } = clientHead(out, this.#version, this.keepAlive && !this.hesitant);
    this.keepAlive = keepAlive;
    this.#untilClose = framing.kind === "close";
    if (out.slowHead === undefined) this.#out.push(text);
    else this.#out.trickle(text, out.slowHead);
    return bodyWriter(this.#out, framing);
  }

  /** Calls once when what was sent has been taken. */
  drained(callback: () => void): void {
    this.#out.drained(callback);
  }

  /** Sends the head behind which something else is spoken than HTTP/1.1. */
  switchTo(status: 101 | 200, reason: string, fields: string): void {
    this.#out.push(`${statusLine(status, reason)}${fields}\r\n`);
    this.#out.flush();
  }

  /** Closes the connection, so that the client sees that something is missing of what it was sent so far. */
  abort(sent: "no head" | "a head"): void {
    // An end is no abort where the end of the connection is the end of the body.
    if (sent === "a head" && !this.#untilClose) this.#out.settled(() => this.#socket.destroy());
    else this.reset();
  }

  /** Resets the connection, behind what was sent. */
  reset(): void {
    this.#out.settled(() => resetConnection(this.#socket));
  }

  /** Sends what is no HTTP. */
  garble(garbage: NonNullable<Cut["garbage"]>): void {
    this.#out.push(garbage);
  }

  /** Nothing more is sent. */
  end(): void {
    this.#out.end();
  }
}
