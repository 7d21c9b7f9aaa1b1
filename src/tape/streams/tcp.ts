/**
 * Plays the server of a recorded raw conversation.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { TcpAnswer, TcpClientLine, TcpListener } from "../../flow/tcp_answer.ts";
import type { Dialogue } from "../correlate/dialogue.ts";
import { addressOfTcp, type TapeEntry } from "../entry.ts";
import type { MatchOptions } from "../match/match_options.ts";
import { changeCounted } from "./counted.ts";
import { explainSaid } from "./explain_said.ts";
import type { Role } from "./roles.ts";
import { sameButValues, withoutCounts } from "./same_but_values.ts";
import { linesOf, type Script } from "./script.ts";
import { Speaker } from "./speaker.ts";
import type { Stage } from "./stage.ts";
import { ByteCursor, partsOf } from "./tcp_cursor.ts";
import { cleanTurn } from "./tcp_secrets.ts";
import { Turnstile } from "./turnstile.ts";

/** What raw conversations are found by: host and port, as far as they count. */
export function tcpKeys(origin: MatchOptions["origin"] = true): (hostname: string, port: number) => string {
  const ignored = origin === false ? ["host", "port"] : typeof origin === "object" ? origin.ignore : [];
  return (hostname, port) =>
    `${ignored.includes("host") ? "*" : hostname.toLowerCase()}:${ignored.includes("port") ? "*" : port}`;
}

/** The same of an entry. */
export function addressOf(entry: TapeEntry): [hostname: string, port: number] {
  const { hostname, port } = addressOfTcp(entry.url);
  return [hostname, port];
}

/** Reads a recorded raw conversation. */
export async function loadTcp(entry: TapeEntry): Promise<Script<Uint8Array>> {
  const said = (await entry.said())!;
  const bytes = partsOf(said);
  return { entry, lines: linesOf(said, ({ data }) => data.length), cursor: () => new ByteCursor(bytes) };
}

const EMPTY = new Uint8Array(0);

/** More than this is not waited for. */
const MOST_KEPT = 64 * 1024;

/** Speaks as the server did. */
export class TcpPlayer implements TcpAnswer, TcpListener {
  readonly #flow: TcpFlow;
  readonly #role: Role<Uint8Array>;
  readonly #stage: Stage;
  readonly #speaker: Speaker;
  readonly #dialogue: Dialogue;
  readonly #turnstile: Turnstile;
  #client: TcpClientLine | undefined;
  /** What has come, and may be the beginning of something. */
  #kept: Uint8Array = EMPTY;
  #ended = false;
  #left = false;
  #closed = false;

  /** @param role the client's part */
  constructor(flow: TcpFlow, role: Role<Uint8Array>, stage: Stage) {
    this.#flow = flow;
    this.#role = role;
    this.#stage = stage;
    const dialogue = this.#dialogue = stage.correlator.dialogue();
    this.#turnstile = new Turnstile((error) => this.#fail(error));
    this.#speaker = new Speaker(stage.pace, {
      say: ({ data }) => {
        role.said++;
        this.#client!.send(changeCounted(data, (piece) => dialogue.toLive(piece, null)));
      },
      idle: () => this.#endIfDone(),
    });
    role.onSwap = () => this.#go();
  }

  /** @inheritdoc */
  open(client: TcpClientLine): TcpListener {
    this.#client = client;
    this.#go();
    return this;
  }

  /** @inheritdoc */
  data(bytes: Uint8Array): void {
    this.#turnstile.pass(() => this.#hear(bytes));
  }

  /** @inheritdoc */
  end(): void {
    this.#turnstile.pass(() => {
      this.#ended = true;
      this.#go();
    });
  }

  /** @inheritdoc */
  close(): void {
    this.#turnstile.pass(() => this.#close());
  }

  #hear(bytes: Uint8Array): void | Promise<void> {
    if (this.#left || this.#closed) return;
    const live = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    this.#kept = EMPTY;
    this.#dialogue.look(this.#flow.messages, null);
    const known = changeCounted(live, (piece) => this.#dialogue.asRecorded(piece, null));
    if (this.#say(known, live) || (known !== live && this.#say(live, live))) return;
    return this.#hearOtherwise(known, live);
  }

  /** In other words: with values that are new in every run. */
  async #hearOtherwise(known: Uint8Array, live: Uint8Array): Promise<void> {
    const { script, cursor } = this.#role;
    let more = false;
    for (const { entry, cursor } of this.#role.expected) {
      const words = await this.#recordedWords(cursor as ByteCursor, known, entry);
      if (this.#left || this.#closed || (words instanceof Uint8Array && this.#say(words, live))) return;
      if (words === "more") more = true;
    }
    if (more && live.length < MOST_KEPT) {
      this.#kept = live;
      return;
    }
    const recorded = (cursor as ByteCursor).next?.subarray(0, Math.max(live.length, 64));
    this.#leave(
      script.entry,
      `byte ${cursor.heard} of the client, or one of the next ${live.length},`,
      recorded && Buffer.from(recorded),
      live,
    );
  }

  /** What the recording has for what the client says; `more`: that may be seen when the client has said more. */
  async #recordedWords(from: ByteCursor, live: Uint8Array, entry: TapeEntry): Promise<Uint8Array | "more" | undefined> {
    const at = from.fork();
    let rest = at.follow(live);
    while (rest !== undefined) {
      const { around } = at;
      if (around === undefined) return undefined;
      const { recorded, back } = around;
      const text = recorded.slice(0, back) + rest.toString("latin1");
      const same = sameButValues(recorded, text);
      if (same === undefined) return undefined;
      const { recorded: a, live: b } = same;
      const [before, after] = [recorded.slice(0, a), text.slice(0, b)].map(withoutCounts) as [string, string];
      const fits = a > back && await this.#dialogue.isText(before, after, entry);
      if (!fits || b < back) return same.more ? "more" : undefined;
      at.skip(a - back);
      rest = at.follow(rest.subarray(b - back));
    }
    return at.since(from.heard);
  }

  #say(words: Uint8Array, live: Uint8Array): boolean {
    if (!this.#role.hear(words)) return false;
    const { learned } = this.#role.cursor as ByteCursor;
    this.#dialogue.heardText(Buffer.from(live.buffer, live.byteOffset, live.byteLength).toString("latin1"));
    for (const [placeholder, secret] of learned.splice(0)) this.#dialogue.heardSecret(placeholder, secret);
    this.#go();
    return true;
  }

  #fail(error: unknown): void {
    this.#flow.error ??= { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
    this.#flow.kill();
  }

  #close(): void {
    this.#closed = true;
    this.#speaker.close();
    this.#role.leave();
    const { script, cursor, said } = this.#role;
    if (this.#left || said === script.lines.length && cursor.done) return;
    const unsaid = script.lines.length - said;
    this.#stage.log({
      level: "warn",
      message: `the conversation TCP ${this.#flow.hostname}:${this.#flow.port} ended before its recording ` +
        `(entry ${script.entry.index}): after ${cursor.heard} bytes of the client, ${unsaid} answers were not replayed`,
    });
  }

  #go(): void {
    if (this.#client !== undefined && !this.#left) this.#speaker.go(this.#role.script.lines, this.#role.cursor.heard);
  }

  #endIfDone(): void {
    const { script, cursor, said } = this.#role;
    const { entry } = script;
    if (said < script.lines.length || !cursor.done) {
      // A client that has ended says nothing that could be answered.
      if (this.#ended) this.#client!.end();
    } else if (entry.failure !== undefined) {
      this.#flow.error ??= { ...entry.failure };
      this.#flow.kill();
    } else if (this.#ended || entry.tcpEnd === "server") {
      this.#client!.end();
    }
  }

  #leave(entry: TapeEntry, place: string, recorded: Uint8Array | undefined, live: Uint8Array): void {
    this.#left = true;
    this.#speaker.close();
    const { options: { path }, redactor } = this.#stage;
    const where = `TCP ${this.#flow.hostname}:${this.#flow.port}`;
    const printable = (bytes: Uint8Array | undefined) =>
      bytes?.every((byte) => byte >= 0x20 && byte < 0x7f || byte > 8 && byte < 14) ?? true;
    const text = printable(live) && printable(recorded);
    const explanation = explainSaid(
      { path, what: "conversation", where, entry, place, recorded, live: cleanTurn(live, "client", redactor), text },
      redactor,
    );
    this.#flow.error ??= { code: "UNMATCHED", message: explanation };
    this.#stage.unmatched(this.#flow, explanation);
    this.#flow.kill();
  }
}
