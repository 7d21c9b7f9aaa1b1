/**
 * A flow that waits at a breakpoint for somebody to decide.
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { redactUrl } from "../../flow/sensitive.ts";
import { answerWith } from "../actions/answer.ts";
import { applyRequestEdit, checkRequestEdit, type RequestEdit } from "../actions/request_edit.ts";
import type { RespondResult } from "../actions/respond.ts";
import { applyResponseEdit, checkResponseEdit, type ResponseEdit } from "../actions/response_edit.ts";
import { stateOf } from "../flow_state.ts";

/** What a flow waits with: the request for a tunnel, a request on its way to the server, a response on its way to the client. */
export type PausePhase = "connect" | "request" | "response";

/** A flow that waits for the test. It goes on with the first decision; a second one is an error. */
export interface PausedFlow {
  /** The flow. What may be changed in a hook may be changed here, too; then call {@linkcode PausedFlow.forward | forward()}. */
  readonly flow: HttpFlow;
  /** What it waits with. */
  readonly phase: PausePhase;
  /** Whether it still waits: nobody has decided, and the client has not gone. */
  readonly waiting: boolean;
  /**
   * Lets it go on: a request to the tape or the server, a response to the client, a CONNECT into a tunnel in which the proxy reads
   * along.
   *
   * @param edit what to change first: as in `edit()`, of a request or of a response
   * @throws {OptionsError} the edit is not accepted; the flow waits on
   * @throws {FlowtapeError} `PAUSED_DECIDED`, `PAUSED_GONE`
   */
  forward(edit?: RequestEdit | ResponseEdit): void;
  /**
   * Answers the client: instead of the server, or instead of what the server has said. A CONNECT is refused with it.
   *
   * @param response as in `respond()`
   * @throws {OptionsError} the response is not accepted; the flow waits on
   * @throws {FlowtapeError} `PAUSED_DECIDED`, `PAUSED_GONE`
   */
  respond(response: RespondResult): void;
  /**
   * Cuts the client's connection.
   *
   * @throws {FlowtapeError} `PAUSED_DECIDED`, `PAUSED_GONE`
   */
  drop(): void;
  /**
   * Opens the tunnel of a CONNECT and relays in it whatever comes, unread: the conversation is a `TcpFlow`.
   *
   * @throws {OptionsError} the flow is no CONNECT
   * @throws {FlowtapeError} `PAUSED_DECIDED`, `PAUSED_GONE`
   */
  link(): void;
  /**
   * Forwards this flow and all that nobody has taken yet; whatever would wait from now on passes, until `proxy.reset()`.
   *
   * @throws {FlowtapeError} `PAUSED_DECIDED`, `PAUSED_GONE`
   */
  continueAll(): void;
}

/** A {@linkcode PausedFlow} as the queue sees it. */
export class Pause implements PausedFlow {
  readonly flow: HttpFlow;
  readonly phase: PausePhase;
  /** Resolves with the decision; rejects when it could not be carried out. */
  readonly decided: Promise<void>;

  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #on: { decided(pause: Pause): void; continueAll(): void };
  #decision: string | undefined;
  #gone = false;

  /** @param on is told when somebody has decided, and that nobody wants to be asked any more */
  constructor(flow: HttpFlow, phase: PausePhase, on: { decided(pause: Pause): void; continueAll(): void }) {
    this.flow = flow;
    this.phase = phase;
    this.#on = on;
    this.decided = this.#settle.promise;
  }

  get waiting(): boolean {
    return this.#decision === undefined && !this.#gone;
  }

  /** `POST https://shop.test/orders (request, rules[0])`. */
  get description(): string {
    const place = stateOf(this.flow)?.report?.place;
    return `${this.#name} (${this.phase}${place === undefined ? "" : `, ${place}`})`;
  }

  forward(edit?: RequestEdit | ResponseEdit): void {
    this.#check("forward()");
    if (edit !== undefined) this.#edit(edit);
    this.#decide("forwarded");
  }

  respond(response: RespondResult): void {
    this.#check("respond()");
    const status = typeof response === "object" && "status" in response ? response.status ?? 200 : 200;
    if (this.phase === "connect" && status < 300) {
      throw new OptionsError(
        `respond() refuses ${this.#name}, so its status is 300 or more, not ${status}; forward() and link() open the tunnel`,
      );
    }
    const answering = answerWith(this.flow, response);
    if (this.phase !== "response") this.flow.source = "rule";
    this.#decide("answered", answering);
  }

  drop(): void {
    this.#check("drop()");
    this.flow.error = { code: "DROPPED", message: `${this.#name} was dropped at a breakpoint` };
    this.#decide("dropped");
  }

  link(): void {
    this.#check("link()");
    if (this.phase !== "connect") {
      throw new OptionsError(
        `link() is for a CONNECT, and this is the ${this.phase} of ${this.#name}: ask({ on: "connect" }) asks about tunnels`,
      );
    }
    this.flow.relay = true;
    this.#decide("linked");
  }

  continueAll(): void {
    this.forward();
    this.#on.continueAll();
  }

  /** The flow has ended without a decision. */
  leave(): void {
    this.#gone = this.waiting;
  }

  get #name(): string {
    return `${this.flow.request.method} ${redactUrl(this.flow.request.url)}`;
  }

  #check(what: string): void {
    if (this.#decision !== undefined) {
      throw new FlowtapeError(
        "PAUSED_DECIDED",
        `${what} came too late: the ${this.phase} of ${this.#name} was already ${this.#decision}, and a paused flow has one decision`,
      );
    }
    if (this.#gone) {
      const { error } = this.flow;
      const why = error === undefined ? "it has ended" : `${error.code}: ${error.message}`;
      throw new FlowtapeError(
        "PAUSED_GONE",
        `${what} came too late: the ${this.phase} of ${this.#name} is gone (${why})`,
      );
    }
  }

  #edit(edit: RequestEdit | ResponseEdit): void {
    switch (this.phase) {
      case "connect":
        throw new OptionsError("forward() takes no edit for a CONNECT: what comes in the tunnel can be asked about");
      case "request":
        checkRequestEdit(edit);
        return applyRequestEdit(this.flow.request, edit);
      case "response":
        checkResponseEdit(edit);
        return applyResponseEdit(this.flow.response!, edit);
    }
  }

  #decide(decision: string, work?: void | Promise<void>): void {
    this.#decision = decision;
    this.#on.decided(this);
    this.#settle.resolve(work);
  }
}
