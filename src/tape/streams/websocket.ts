/**
 * Plays the server of a recorded WebSocket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowRequest } from "../../flow/request.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { WebSocketAnswer, WebSocketClientLine, WebSocketListener } from "../../flow/websocket_answer.ts";
import type { TapeEntry } from "../entry.ts";
import { bodySigner } from "../match/body_signature.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { explainSaid } from "./explain_said.ts";
import type { Role } from "./roles.ts";
import type { Said } from "./said.ts";
import { type Cursor, linesOf, type Script } from "./script.ts";
import { Speaker } from "./speaker.ts";
import type { Stage } from "./stage.ts";

/** A recorded WebSocket, with what the client said in it. */
export interface WebSocketScript extends Script<Said> {
  /** What the client says. */
  readonly replies: readonly Said[];
}

/** Reads recorded WebSockets. */
export function webSocketLoader(
  options: Pick<TapeOptions, "match">,
  redactor: Redactor,
): (entry: TapeEntry) => Promise<WebSocketScript> {
  const { body } = options.match ?? {};
  const sign = bodySigner(body, redactor);
  const signatures = new WeakMap<Said, string>();
  const signatureOf = (said: Said) => {
    let signature = signatures.get(said);
    if (signature === undefined) signatures.set(said, signature = sign(asRequest(said)));
    return signature;
  };
  const same = (recorded: Said, live: Said) =>
    body === false || recorded.text === live.text && signatureOf(recorded) === signatureOf(live);
  return async (entry) => {
    const said = (await entry.said())!;
    const replies = said.filter(({ from }) => from === "client");
    return { entry, replies, lines: linesOf(said, () => 1), cursor: () => new MessageCursor(replies, same) };
  };
}

/** The URL is there only because a request has one. */
function asRequest({ data, text }: Said): FlowRequest {
  const headers = text ? [] : { "content-type": "application/octet-stream" };
  return FlowRequest.create({ method: "POST", url: "http://localhost/", headers, body: data });
}

/** Goes from message to message. */
class MessageCursor implements Cursor<Said> {
  heard = 0;
  readonly #replies: readonly Said[];
  readonly #same: (recorded: Said, live: Said) => boolean;

  constructor(replies: readonly Said[], same: (recorded: Said, live: Said) => boolean) {
    this.#replies = replies;
    this.#same = same;
  }

  get done(): boolean {
    return this.heard >= this.#replies.length;
  }

  hear(live: Said): boolean {
    const recorded = this.#replies[this.heard];
    if (recorded === undefined || !this.#same(recorded, live)) return false;
    this.heard++;
    return true;
  }
}

/** The 101 of a recorded WebSocket, behind which the conversation is played. */
export function webSocketResponse(flow: HttpFlow, role: Role<Said>, stage: Stage): FlowResponse {
  const { entry } = role.script;
  const player = new WebSocketPlayer(flow, role, stage);
  const response = FlowResponse.switchToWebSocket(player, entry.responseHeaders);
  response.early = entry.informational.filter(({ status }) => status !== 100);
  return response;
}

class WebSocketPlayer implements WebSocketAnswer, WebSocketListener {
  readonly #flow: HttpFlow;
  readonly #role: Role<Said>;
  readonly #stage: Stage;
  readonly #speaker: Speaker;
  #client: WebSocketClientLine | undefined;
  #left = false;
  #over = false;

  constructor(flow: HttpFlow, role: Role<Said>, stage: Stage) {
    this.#flow = flow;
    this.#role = role;
    this.#stage = stage;
    this.#speaker = new Speaker(stage.pace, {
      say: ({ data, text }) => {
        role.said++;
        this.#client!.send(text ? decode(data) : data);
      },
      idle: () => this.#endIfDone(),
    });
    role.onSwap = () => this.#go();
  }

  open(client: WebSocketClientLine): WebSocketListener {
    this.#client = client;
    this.#go();
    return this;
  }

  message(data: string | Uint8Array): void {
    if (this.#left || this.#over) return;
    const text = typeof data === "string";
    const live: Said = { from: "client", text, data: text ? Buffer.from(data) : data };
    const { script, cursor } = this.#role;
    const recorded = (script as WebSocketScript).replies[cursor.heard];
    if (this.#role.hear(live)) return this.#go();
    this.#leave(script.entry, recorded, live);
  }

  close(): void {
    this.#over = true;
    this.#speaker.close();
    this.#role.leave();
    const { script, cursor, said } = this.#role;
    const replies = (script as WebSocketScript).replies.length;
    const unsaid = script.lines.length - said;
    const left = replies - cursor.heard;
    if (this.#left || unsaid + left === 0) return;
    const what = [
      ...(left > 0 ? [`${left} of ${replies} messages of the client`] : []),
      ...(unsaid > 0 ? [`${unsaid} of ${script.lines.length} messages of the server`] : []),
    ];
    const url = this.#stage.redactor.url(this.#flow.request.url);
    const message = `the WebSocket ${url} ended before its recording (entry ${script.entry.index}): ` +
      `${what.join(" and ")} ${unsaid + left === 1 ? "was" : "were"} not replayed`;
    this.#stage.log({ level: "warn", message });
  }

  #go(): void {
    if (this.#client !== undefined && !this.#left) this.#speaker.go(this.#role.script.lines, this.#role.cursor.heard);
  }

  #endIfDone(): void {
    const { script, cursor, said } = this.#role;
    const { close, failure } = script.entry;
    if (this.#left || said < script.lines.length || !cursor.done) return;
    if (close?.by === "server") this.#client!.close(close.code, close.reason);
    else if (failure !== undefined) this.#client!.close(1006);
  }

  #leave(entry: TapeEntry, recorded: Said | undefined, live: Said): void {
    this.#left = true;
    this.#speaker.close();
    const { options: { path }, redactor } = this.#stage;
    const explanation = explainSaid({
      path,
      what: "WebSocket",
      where: `GET ${redactor.url(this.#flow.request.url)}`,
      entry,
      place: `message ${this.#role.count} of the client`,
      recorded: recorded?.data,
      live: live.data,
      text: live.text,
    }, redactor);
    this.#stage.unmatched(this.#flow, explanation);
    this.#client!.close(1011, "not what the tape has: see the error of proxy.close()");
  }
}

function decode(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("utf8");
}
