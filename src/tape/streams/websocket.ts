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
import type { Dialogue } from "../correlate/dialogue.ts";
import { textOf } from "../correlate/rewrite.ts";
import { bodySigner } from "../match/body_signature.ts";
import { looksLikeJson } from "../media.ts";
import type { TapeOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";
import { explainSaid } from "./explain_said.ts";
import type { Role } from "./roles.ts";
import type { Said } from "./said.ts";
import { type Cursor, linesOf, type Script } from "./script.ts";
import { Speaker } from "./speaker.ts";
import type { Stage } from "./stage.ts";
import { Turnstile } from "./turnstile.ts";

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
  const type = typeOf(data, text);
  const headers = type === null ? [] : { "content-type": type };
  return FlowRequest.create({ method: "POST", url: "http://localhost/", headers, body: data });
}

/** Messages have no media type. */
function typeOf(data: Uint8Array, text: boolean): string | null {
  return text ? looksLikeJson(data) ? "application/json" : null : "application/octet-stream";
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

  get next(): Said | undefined {
    return this.#replies[this.heard];
  }

  fork(): MessageCursor {
    const other = new MessageCursor(this.#replies, this.#same);
    other.heard = this.heard;
    return other;
  }

  hear(live: Said): boolean {
    const recorded = this.next;
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
  readonly #dialogue: Dialogue;
  readonly #turnstile: Turnstile;
  #client: WebSocketClientLine | undefined;
  #left = false;
  #over = false;

  constructor(flow: HttpFlow, role: Role<Said>, stage: Stage) {
    this.#flow = flow;
    this.#role = role;
    this.#stage = stage;
    this.#dialogue = stage.correlator.dialogue(textOf(flow.request));
    this.#turnstile = new Turnstile((error) => this.#client!.fail(error));
    this.#speaker = new Speaker(stage.pace, {
      say: ({ data, text }) => {
        role.said++;
        const live = this.#dialogue.toLive(data, typeOf(data, text));
        this.#client!.send(text ? decode(live) : live);
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
    this.#turnstile.pass(() => this.#hear(data));
  }

  close(): void {
    this.#turnstile.pass(() => this.#end());
  }

  #hear(data: string | Uint8Array): void | Promise<void> {
    if (this.#left || this.#over) return;
    const text = typeof data === "string";
    const live: Said = { from: "client", text, data: text ? Buffer.from(data) : data };
    this.#dialogue.look(this.#flow.websocket?.messages ?? [], null);
    const known = { ...live, data: this.#dialogue.asRecorded(live.data, typeOf(live.data, text)) };
    if (this.#say(known, live) || (known.data !== live.data && this.#say(live, live))) return;
    return this.#hearOtherwise(known, live);
  }

  /** In other words: with values that are new in every run. */
  async #hearOtherwise(known: Said, live: Said): Promise<void> {
    const recorded = this.#role.cursor.next;
    for (const { entry, cursor } of this.#role.expected) {
      const { next } = cursor;
      if (next?.text !== live.text || !await this.#dialogue.is(asRequest(next), asRequest(known), entry)) continue;
      if (this.#left || this.#say(next, live)) return;
    }
    this.#leave(this.#role.script.entry, recorded, live);
  }

  #say(said: Said, live: Said): boolean {
    if (!this.#role.hear(said)) return false;
    const { script, cursor } = this.#role;
    this.#dialogue.heard(asRequest((script as WebSocketScript).replies[cursor.heard - 1]!), asRequest(live));
    this.#go();
    return true;
  }

  #end(): void {
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
      place: `message ${this.#role.count + 1} of the client`,
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
