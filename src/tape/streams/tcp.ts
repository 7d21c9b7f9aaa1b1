/**
 * Plays the server of a recorded raw conversation.
 *
 * @module
 */
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { TcpAnswer, TcpClientLine, TcpListener } from "../../flow/tcp_answer.ts";
import { addressOfTcp, type TapeEntry } from "../entry.ts";
import type { MatchOptions } from "../match/match_options.ts";
import { explainSaid } from "./explain_said.ts";
import type { Role } from "./roles.ts";
import { linesOf, type Script } from "./script.ts";
import { Speaker } from "./speaker.ts";
import type { Stage } from "./stage.ts";
import { ByteCursor, partsOf } from "./tcp_cursor.ts";
import { cleanTurn } from "./tcp_secrets.ts";

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
  const parts = partsOf(said);
  return { entry, lines: linesOf(said, ({ data }) => data.length), cursor: () => new ByteCursor(parts) };
}

/** Speaks as the server did. */
export class TcpPlayer implements TcpAnswer, TcpListener {
  readonly #flow: TcpFlow;
  readonly #role: Role<Uint8Array>;
  readonly #stage: Stage;
  readonly #speaker: Speaker;
  #client: TcpClientLine | undefined;
  #ended = false;
  #left = false;

  /** @param role the client's part */
  constructor(flow: TcpFlow, role: Role<Uint8Array>, stage: Stage) {
    this.#flow = flow;
    this.#role = role;
    this.#stage = stage;
    this.#speaker = new Speaker(stage.pace, {
      say: ({ data }) => {
        role.said++;
        this.#client!.send(data);
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
    if (this.#left) return;
    const { script, cursor } = this.#role;
    const place = cursor.heard;
    const recorded = (cursor as ByteCursor).expected?.slice(0, Math.max(bytes.length, 64));
    if (this.#role.hear(bytes)) return this.#go();
    this.#leave(script.entry, `byte ${place} of the client, or one of the next ${bytes.length},`, recorded, bytes);
  }

  /** @inheritdoc */
  end(): void {
    this.#ended = true;
    this.#go();
  }

  /** @inheritdoc */
  close(): void {
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
