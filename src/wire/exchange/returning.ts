/**
 * A response on its way back to the client.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { type BodyClock, BodyMarks } from "../../flow/body_marks.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { isOpenEnded } from "../../flow/media_type.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { DataEvent } from "../http1/event.ts";
import type { ResponseHead } from "../http1/head.ts";
import { answer } from "./answer.ts";
import { BodyPipe } from "./body_pipe.ts";
import type { Exchange } from "./exchange.ts";
import { bodyKind } from "./response_out.ts";

/** The server that it comes from. */
export interface ReturningServer {
  /** No more for now. */
  stop(): void;
  /** More is welcome. */
  go(): void;
  /** It has said all. */
  release(): void;
  /** What it says is of no use any more. */
  cut(): void;
}

/** Takes what a server says, asks the hooks, and passes it on; or lets an addon's answer take its place. */
export class Returning {
  readonly #exchange: Exchange;
  readonly #server: ReturningServer;
  #head: ResponseHead | undefined;
  #given: FlowResponse | undefined;
  #download: BodyPipe | undefined;

  /** @param exchange whose response it is */
  constructor(exchange: Exchange, server: ReturningServer) {
    this.#exchange = exchange;
    this.#server = server;
  }

  /** The final head has come. */
  head(head: ResponseHead): void {
    const { flow, context } = this.#exchange;
    flow.timings.responseStart = performance.now() - flow.origin;
    const content = new BodyBuffer(context.observer.bodyLimit(flow));
    const fields = FlowHeaders.fromFields(head.fields);
    const response = new FlowResponse(head.status, head.reason, head.version, fields, content);
    this.#head = head;
    this.#given = flow.response = response;
    this.#download = new BodyPipe(content);
    if (head.framing.kind === "none") {
      content.complete = true;
    } else {
      content.plan = context.observer.overflow?.(flow, response);
      if (context.observer.keepsChunks?.(flow)) content.marks = new BodyMarks(clockOf(flow));
    }
    this.#server.stop();
    this.#exchange.hook("responseHeaders", () => this.#headSeen(response));
  }

  /** A piece of the body has come. `false`: wait until {@linkcode ReturningServer.go}. */
  data(event: DataEvent): boolean {
    if (this.#download!.data(event)) return true;
    if (this.#exchange.responding) this.#goWhenDrained();
    return false;
  }

  /** The body is complete. */
  end(trailers: string): void {
    if (trailers !== "") this.#given!.trailers = FlowHeaders.fromFields(trailers);
    this.#download!.trailers = trailers;
    this.#keepOriginal();
    // Before the client learns of the end: its next request may use the connection at once.
    this.#server.release();
    this.#download!.end(trailers);
  }

  /** The server has agreed to a WebSocket with this response, and an addon has not. */
  refused(given: FlowResponse): void {
    this.#given = given;
    this.#replaced("headed");
  }

  /** Nothing more comes. */
  drop(): void {
    if (this.#download !== undefined && !this.#download.ended) this.#download.drop();
  }

  #headSeen(response: FlowResponse): void {
    const { flow, context } = this.#exchange;
    let need: boolean | "after";
    if (flow.error !== undefined) {
      this.#exchange.fail(flow.error);
    } else if (this.#changed(response)) {
      this.#replaced("headed");
    } else if ((need = context.hooks.needs("response", flow)) !== true) {
      if (need === "after") this.#exchange.hookAfterwards();
      this.#pass();
    } else if (response.stream || isOpenEnded(response.headers.get("content-type"))) {
      // Nobody waits for the end of a stream of events: there may be none.
      this.#exchange.hookAfterwards();
      this.#pass();
    } else {
      this.#download!.whole(() => this.#exchange.hook("response", () => this.#bodySeen(response)));
      this.#server.go();
    }
  }

  #bodySeen(response: FlowResponse): void {
    const { flow } = this.#exchange;
    this.#keepOriginal();
    if (flow.error !== undefined) this.#exchange.fail(flow.error);
    else if (this.#changed(response)) this.#replaced("complete");
    else this.#pass();
  }

  // Whether the body that the client gets is another one than the server's: it may also have come or gone with the status.
  #changed(response: FlowResponse): boolean {
    const { flow } = this.#exchange;
    const mayHaveBody = bodyKind(response.status, flow.request.method) === "any";
    return flow.response !== response || response.bodyEdited || mayHaveBody === (this.#head!.framing.kind === "none");
  }

  #keepOriginal(): void {
    const { flow } = this.#exchange;
    const { status, reason, version, fields } = this.#head!;
    const given = this.#given!;
    const same = flow.response === given && given.status === status && given.reason === reason &&
      !given.headers.edited && !given.bodyEdited;
    if (same) return;
    flow.original = new FlowResponse(status, reason, version, FlowHeaders.fromFields(fields), this.#download!.content);
    if (this.#download!.trailers !== "") flow.original.trailers = FlowHeaders.fromFields(this.#download!.trailers);
  }

  // What is sent is no longer what the server says.
  #replaced(stage: "headed" | "complete"): void {
    const { flow } = this.#exchange;
    if (flow.response !== this.#given) flow.source = "addon";
    flow.response ??= FlowResponse.create({ status: 204 });
    this.#server.cut();
    answer(this.#exchange, stage);
  }

  #pass(): void {
    const download = this.#download!;
    if (download.ended) download.trailers = this.#given!.trailers?.fields ?? "";
    const more = download.pass(this.#exchange.respond(this.#head));
    download.onEnd(() => this.#exchange.finish());
    if (more) this.#server.go();
    else this.#goWhenDrained();
  }

  #goWhenDrained(): void {
    this.#exchange.drained(() => this.#download!.content.drained(() => this.#server.go()));
  }
}

function clockOf({ origin, request: { content } }: HttpFlow): BodyClock {
  return { now: () => performance.now() - origin, sent: () => content.complete ? -1 : content.size };
}
