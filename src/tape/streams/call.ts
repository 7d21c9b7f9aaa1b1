/**
 * Plays the server of a recorded call in which client and server take turns, as gRPC can: what the server says follows what the client
 * has said before it on the tape, although the request has not ended.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { Dialogue } from "../correlate/dialogue.ts";
import { textOf } from "../correlate/rewrite.ts";
import type { TapeEntry } from "../entry.ts";
import { explainSaid } from "./explain_said.ts";
import { grpcText, messageEnds, messagesOf, uncompressed } from "./grpc.ts";
import type { Role } from "./roles.ts";
import type { Cursor, Script } from "./script.ts";
import { type Line, Speaker } from "./speaker.ts";
import type { Stage } from "./stage.ts";

/** A message of the client, or its end. */
export type CallWord = Uint8Array | "end";

/** A recorded call. */
export interface CallScript extends Script<CallWord> {
  /** What the client says. */
  readonly words: readonly CallWord[];
  /** How much of it comes before the head, and before the end. */
  readonly turns: { readonly head: number; readonly end: number };
  readonly response: FlowResponse;
}

/** More than this that nothing on the tape begins like is for a server, or for nobody. */
const MAX_UNDECIDED = 16 * 1024 * 1024;

/** Reads recorded calls. */
export function callLoader({ options, redactor }: Stage): (entry: TapeEntry) => Promise<CallScript> {
  const any = options.match?.body === false;
  const clean = (word: Uint8Array) => uncompressed(redactor.body(word, TYPE));
  const same = (recorded: CallWord, live: CallWord) => {
    if (recorded === "end" || live === "end") return recorded === live;
    if (any) return true;
    const [a, b] = [clean(recorded), clean(live)];
    return Buffer.compare(a, b) === 0 || (hides(a) && grpcText(a) !== undefined && grpcText(a) === grpcText(b));
  };
  return async (entry) => {
    const { content } = await entry.request();
    const messages = messagesOf(content.bytes());
    const total = messages.length + 1;
    const turns = entry.stream?.turns ?? { head: total, end: total };
    const words: CallWord[] = turns.end > messages.length ? [...messages, "end"] : messages;
    const response = (await entry.response()) ?? FlowResponse.create({ status: 200 });
    const chunks = await entry.chunks() ?? [{ data: response.content.bytes() }];
    // Times of chunks are those after the head.
    let last = -entry.wait;
    const lines = chunks.filter(({ data }) => data.length > 0).map(({ data, after = total, time = 0 }): Line => {
      const gap = Math.max(0, time - last);
      last = time;
      return { data, text: false, after, gap };
    });
    return { entry, words, turns, response, lines, cursor: () => new WordCursor(words, same) };
  };
}

/** Whether there is something in the place of a secret, whose length says nothing. */
function hides(word: Uint8Array): boolean {
  return Buffer.from(word.buffer, word.byteOffset, word.byteLength).includes("********");
}

function asRequest(word: Uint8Array): FlowRequest {
  return FlowRequest.create({
    method: "POST",
    url: "http://localhost/",
    headers: { "content-type": TYPE },
    body: word,
  });
}

const TYPE = "application/grpc";

/** Goes from message to message. */
class WordCursor implements Cursor<CallWord> {
  heard = 0;
  readonly #words: readonly CallWord[];
  readonly #same: (recorded: CallWord, live: CallWord) => boolean;

  constructor(words: readonly CallWord[], same: (recorded: CallWord, live: CallWord) => boolean) {
    this.#words = words;
    this.#same = same;
  }

  get done(): boolean {
    return this.heard >= this.#words.length;
  }

  get next(): CallWord | undefined {
    return this.#words[this.heard];
  }

  fork(): WordCursor {
    const other = new WordCursor(this.#words, this.#same);
    other.heard = this.heard;
    return other;
  }

  hear(live: CallWord): boolean {
    const recorded = this.next;
    // On the tape the server was faster to end.
    if (recorded === undefined) return live === "end";
    if (!this.#same(recorded, live)) return false;
    this.heard++;
    return true;
  }
}

/** What becomes of a call: its answer, why there is none, or nothing, because the client is gone. */
export type CallAnswer = { readonly response: FlowResponse } | { readonly explanation: string } | undefined;

/** Plays one call. */
export class CallPlayer {
  readonly #flow: HttpFlow;
  readonly #role: Role<CallWord>;
  readonly #stage: Stage;
  readonly #speaker: Speaker;
  readonly #dialogue: Dialogue;
  readonly #decided = Promise.withResolvers<CallAnswer>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #words = 0;
  #heardEnd = false;
  #answered = false;
  #over = false;
  #busy = false;

  /** @param role the client's part */
  constructor(flow: HttpFlow, role: Role<CallWord>, stage: Stage) {
    this.#flow = flow;
    this.#role = role;
    this.#stage = stage;
    this.#dialogue = stage.correlator.dialogue(textOf(flow.request));
    this.#speaker = new Speaker(stage.pace, {
      say: ({ data }) => {
        role.said++;
        this.#controller?.enqueue(this.#dialogue.toLive(data, TYPE));
      },
      idle: () => this.#endIfDone(),
    });
    role.onSwap = () => this.#go();
  }

  /** Listens until the head of the answer is due, or it is clear that there is none. */
  answer(): Promise<CallAnswer> {
    const { content } = this.#flow.request;
    content.onMore = () => this.#listen();
    this.#listen();
    if (!this.#answered && !this.#over) this.#flow.onListen?.();
    return this.#decided.promise;
  }

  /** The flow is over. */
  close(): void {
    if (this.#over) return;
    this.#end();
    this.#decided.resolve(undefined);
  }

  #listen(): void {
    if (this.#over || this.#busy) return;
    const { content } = this.#flow.request;
    const bytes = content.bytes();
    const ends = messageEnds(bytes);
    while (this.#words < ends.length) {
      const word = bytes.subarray(ends[this.#words - 1] ?? 0, ends[this.#words]);
      this.#words++;
      if (!this.#hear(word)) return void this.#hearOtherwise(word);
    }
    if (content.complete && !this.#heardEnd) {
      this.#heardEnd = true;
      if (!this.#hear("end")) return void this.#hearOtherwise("end");
    }
    if (!this.#answered && content.size > MAX_UNDECIDED) return this.#leave(undefined, undefined);
    this.#go();
  }

  #hear(word: CallWord): boolean {
    if (word === "end") return this.#role.hear(word);
    const known = this.#dialogue.asRecorded(word, TYPE);
    if (!this.#role.hear(known) && (known === word || !this.#role.hear(word))) return false;
    this.#dialogue.heard(undefined, asRequest(word));
    return true;
  }

  /** In other words: with values that are new in every run. What comes meanwhile waits. */
  async #hearOtherwise(word: CallWord): Promise<void> {
    const recorded = this.#role.cursor.next;
    const live = word === "end" ? undefined : asRequest(this.#dialogue.asRecorded(word, TYPE));
    this.#busy = true;
    for (const { entry, cursor } of live === undefined ? [] : this.#role.expected) {
      const { next } = cursor;
      if (next === undefined || next === "end") continue;
      const same = await this.#dialogue.is(asRequest(next), live!, entry).catch(() => false);
      if (this.#over) return;
      if (!same || !this.#role.hear(next)) continue;
      this.#dialogue.heard(undefined, live!);
      this.#busy = false;
      return this.#listen();
    }
    this.#leave(recorded, word);
  }

  #go(): void {
    if (this.#over) return;
    const { turns, entry, response, lines } = this.#role.script as CallScript;
    const { heard } = this.#role.cursor;
    if (!this.#answered) {
      if (heard < turns.head) return;
      this.#answered = true;
      const source = new ReadableStream<Uint8Array>({
        start: (controller) => void (this.#controller = controller),
        cancel: () => this.#end(),
      });
      const { status, reason, httpVersion, headers } = response;
      const answer = new FlowResponse(status, reason, httpVersion, headers.clone(), new BodyBuffer(), source);
      if (response.trailers !== undefined) answer.trailers = response.trailers.clone();
      answer.early = entry.informational.filter(({ status }) => status !== 100);
      answer.stream = true;
      this.#decided.resolve({ response: answer });
    }
    this.#speaker.go(lines, heard);
  }

  #endIfDone(): void {
    const { turns, entry, lines } = this.#role.script as CallScript;
    const { said, cursor } = this.#role;
    if (this.#over || !this.#answered || said < lines.length || cursor.heard < turns.end || entry.stream?.open) return;
    this.#end();
    if (entry.failure !== undefined) {
      this.#flow.error ??= { ...entry.failure };
      this.#flow.kill();
    } else {
      this.#controller?.close();
    }
  }

  #leave(recorded: CallWord | undefined, live: CallWord | undefined): void {
    const { options: { path }, redactor } = this.#stage;
    const { method, url } = this.#flow.request;
    const { entry } = this.#role.script;
    const bytes = (word: CallWord | undefined) =>
      word === "end" || word === undefined ? undefined : uncompressed(word).subarray(5);
    const explanation = explainSaid({
      path,
      what: "call",
      where: `${method} ${redactor.url(url)}`,
      entry,
      place: live === "end" ? "the end" : `message ${this.#role.count + 1} of the client`,
      recorded: bytes(recorded),
      live: bytes(live),
      text: false,
    }, redactor);
    this.#end();
    if (!this.#answered) return this.#decided.resolve({ explanation });
    this.#flow.error ??= { code: "UNMATCHED", message: explanation };
    this.#stage.unmatched(this.#flow, explanation);
    this.#flow.kill();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#speaker.close();
    this.#flow.request.content.onMore = undefined;
    this.#role.leave();
  }
}
