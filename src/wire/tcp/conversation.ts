/**
 * The life of one TCP flow, from its first hook to its end.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TcpAnswer } from "../../flow/tcp_answer.ts";
import { checkFlowError, type FlowError } from "../../flow/flow_error.ts";
import type { BreakStage } from "../../flow/shape.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { HookName } from "../../hooks/table.ts";
import { resetConnection } from "../inbound/reset.ts";
import { DialError } from "../outbound/dial.ts";
import { breakConnection } from "../shape/break_connection.ts";
import type { ClientConnection, WireContext } from "../wire_context.ts";
import { AnsweredServer } from "./answered_server.ts";
import { Direction } from "./direction.ts";
import { Transcript } from "./transcript.ts";

/** A client and its server, with the addons between them. It ends exactly once. */
export class Conversation implements ClientConnection {
  readonly #flow: TcpFlow;
  readonly #client: Duplex;
  readonly #context: WireContext;
  readonly #transcript: Transcript;
  #server: Duplex | undefined;
  #up: Direction | undefined;
  #down: Direction | undefined;
  #over = false;

  /** Nothing happens before {@linkcode Conversation.begin | begin()}. */
  constructor(flow: TcpFlow, client: Duplex, context: WireContext) {
    this.#flow = flow;
    this.#client = client;
    this.#context = context;
    this.#transcript = new Transcript(flow, context);
  }

  /**
   * Asks the addons, connects, and relays.
   *
   * @param connect gives a connection to the server
   * @param early what the client has sent before it ended its side
   * @param notNeeded called when an addon speaks for the server
   */
  begin(connect: () => Promise<Socket>, early?: Buffer, notNeeded: () => void = () => {}): void {
    this.#context.clients.add(this);
    this.#context.observer.started(this.#flow);
    this.#flow.onKill = () => this.#fail(this.#flow.error!);
    // The "close" that follows every error says all there is to say.
    this.#client.on("error", () => {}).on("close", () => this.#clientClosed());
    if (this.#client.destroyed) {
      this.#clientClosed();
      return;
    }
    this.#hook("tcpStart", () => {
      if (this.#flow.answer !== undefined) {
        notNeeded();
        return this.#answered(this.#flow.answer, early);
      }
      connect().then((server) => this.#connected(server, early), (error) => this.#fail(failureOf(error)));
    });
  }

  /** Ends what is in flight, and the connection. */
  shutDown(reason: FlowError): void {
    this.#fail({ code: reason.code, message: "the proxy was closed while the conversation was under way" });
  }

  #answered(answer: TcpAnswer, early: Buffer | undefined): void {
    if (this.#flow.source === "upstream") this.#flow.source = "addon";
    const server = new AnsweredServer((error) => {
      if (!this.#over) this.#fail(hookFailure(this.#context.hooks.refuse(error, this.#flow)));
    });
    server.begin(answer);
    this.#connected(server.stream, early);
  }

  #connected(server: Duplex, early: Buffer | undefined): void {
    if (this.#over) {
      server.destroy();
      return;
    }
    this.#server = server;
    server.on("error", () => {}).on("close", () => this.#serverClosed());
    const relay = (from: "client" | "server") => ({
      message: (bytes: Buffer) => this.#message(from, bytes),
      done: () => this.#sideDone(from),
      fired: ({ description }: BreakStage) => void this.#flow.faults.push(description),
      broken: (stage: BreakStage) => this.#break(stage),
    });
    this.#up = new Direction(this.#client, server, relay("client"), this.#flow.shape?.request);
    this.#down = new Direction(server, this.#client, relay("server"), this.#flow.shape?.response);
    this.#up.start(early);
    this.#down.start();
    if (server.destroyed) this.#serverClosed();
  }

  #message(from: "client" | "server", bytes: Buffer): Uint8Array | Promise<Uint8Array> {
    if (this.#over) return NOTHING;
    const { message, kept } = this.#transcript.take(from, bytes);
    if (message === undefined) return bytes;
    const sent = () => {
      if (!kept) this.#transcript.forget(message);
      message.seal();
      return this.#over ? NOTHING : message.data;
    };
    if (!this.#context.hooks.has("tcpMessage")) return sent();
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#context.hooks.run("tcpMessage", this.#flow, message);
    } catch (error) {
      this.#fail(hookFailure(error));
    }
    if (waiting === undefined) {
      this.#unlessFailed();
      return sent();
    }
    return waiting.then(() => this.#unlessFailed(), (error) => this.#fail(hookFailure(error))).then(sent);
  }

  #unlessFailed(): void {
    const { error } = this.#flow;
    if (error !== undefined) this.#fail(this.#checked(error));
  }

  #checked(error: FlowError): FlowError {
    try {
      checkFlowError(error);
      return error;
    } catch (cause) {
      return hookFailure(this.#context.hooks.refuse(cause, this.#flow));
    }
  }

  #sideDone(from: "client" | "server"): void {
    this.#flow.endedBy ??= from;
    if (this.#over || !this.#up?.done || !this.#down?.done) return;
    this.#end();
    this.#lastHook("tcpEnd");
  }

  #clientClosed(): void {
    if (this.#over || (this.#up?.ended && this.#down?.done)) return;
    this.#fail({ code: "CLIENT_ABORTED", message: `the client cut the conversation with ${this.#name}` });
  }

  #serverClosed(): void {
    if (this.#over || (this.#down?.ended && this.#up?.done)) return;
    this.#fail({ code: "UPSTREAM_ABORTED", message: `${this.#name} cut the conversation` });
  }

  #fail(error: FlowError): void {
    if (this.#over) return;
    this.#flow.error = error;
    this.#end();
    this.#cut();
    this.#lastHook("tcpError");
  }

  #break({ code, description, cut }: BreakStage): void {
    this.#flow.cut = cut;
    this.#fail({ code, message: `the conversation with ${this.#name} was broken by a rule: ${description}` });
  }

  #cut(): void {
    const { cut } = this.#flow;
    if (cut === undefined) {
      resetConnection(this.#client);
      if (this.#server !== undefined) resetConnection(this.#server);
      return;
    }
    breakConnection(this.#client, cut, cut.garbage);
    if (this.#server === undefined) return;
    const server = this.#server;
    breakConnection(server, cut);
    this.#client.on("close", () => server.destroy());
  }

  #end(): void {
    this.#over = true;
    this.#up?.close();
    this.#down?.close();
    const flow = this.#flow;
    flow.onKill = undefined;
    flow.timings.end = performance.now() - flow.origin;
    flow.done = true;
    this.#context.clients.delete(this);
  }

  // Runs a hook, then goes on unless the flow has ended meanwhile.
  #hook(name: HookName, next: () => void): void {
    const go = () => {
      if (!this.#over) this.#unlessFailed();
      if (!this.#over) next();
    };
    try {
      const waiting = this.#context.hooks.run(name, this.#flow);
      if (waiting === undefined) go();
      else waiting.then(go).catch((error) => this.#fail(hookFailure(error)));
    } catch (error) {
      this.#fail(hookFailure(error));
    }
  }

  #lastHook(name: HookName): void {
    const ended = () => this.#context.observer.ended(this.#flow);
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#context.hooks.run(name, this.#flow);
    } catch {
      // The dispatcher has reported it, and this flow is over already.
    }
    if (waiting === undefined) ended();
    else waiting.then(ended, ended);
  }

  get #name(): string {
    return `${this.#flow.hostname}:${this.#flow.port}`;
  }
}

const NOTHING = new Uint8Array(0);

function hookFailure(error: unknown): FlowError {
  return { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
}

/** Besides dialling, only a hook can fail. */
function failureOf(error: unknown): FlowError {
  return error instanceof DialError ? error.failure : hookFailure(error);
}
