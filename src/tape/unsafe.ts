/**
 * Requests that change something on a server: a recording may refuse to send them.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { CompiledMatcher, Matcher } from "../flow/matcher/types.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import { FlowResponse } from "../flow/response.ts";
import type { TapeOptions } from "./options.ts";
import type { Redactor } from "./redact/redactor.ts";

/** Methods that only ask (RFC 9110 section 9.2.1, RFC 3253, RFC 4918, RFC 5323, and QUERY). */
const SAFE: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "QUERY",
]);

/** What the option `blockUnsafe` stands for. */
export class UnsafeGuard {
  readonly #allowed: readonly CompiledMatcher[];
  readonly #redactor: Redactor;
  readonly #refused: (flow: Flow, explanation: string) => void;

  /**
   * @param refused is told of every request that was not sent
   * @throws {OptionsError} a matcher is not accepted
   */
  constructor(
    option: NonNullable<Exclude<TapeOptions["blockUnsafe"], false>>,
    redactor: Redactor,
    refused: (flow: Flow, explanation: string) => void,
  ) {
    const allow = option === true ? [] : Array.isArray(option.allow) ? option.allow : [option.allow];
    this.#allowed = allow.map((one: Matcher, i: number) => compile(one, `tape.blockUnsafe.allow[${i}]`));
    this.#redactor = redactor;
    this.#refused = refused;
  }

  /**
   * Whether the request must not be sent.
   *
   * @throws {BodyIncompleteError} a matcher must see a body that has not arrived
   */
  blocks(flow: Flow): boolean {
    // What is said in a conversation may be anything: nobody can tell before it is said.
    const safe = flow.type === "http" && SAFE.has(flow.request.method) && !isWebSocket(flow);
    return !safe && !this.#allowed.some((one) => one.matches(flow));
  }

  /** Ends a raw conversation before it begins. */
  refuseTcp(flow: TcpFlow): void {
    const { hostname, port } = flow;
    const message =
      `The conversation TCP ${hostname}:${port} was not begun: it is to be recorded, nobody can tell whether ` +
      "what is said in it changes something, and blockUnsafe is set.\n\nIf it may be held: " +
      `blockUnsafe: { allow: tcp(${JSON.stringify(`${hostname}:${port}`)}) }\n`;
    flow.error ??= { code: "UNMATCHED", message };
    this.#refused(flow, message);
  }

  /** Answers the flow with what to do about it. */
  refuse(flow: HttpFlow): void {
    const { method, url } = flow.request;
    const clean = this.#redactor.url(url);
    const webSocket = isWebSocket(flow);
    const why = webSocket
      ? "nobody can tell whether what is said over a WebSocket changes something"
      : `${method} may change something on the server`;
    const allow = webSocket ? allowable(clean) : `${method} ${allowable(clean)}`;
    const explanation = `${method} ${clean} was not sent: it is to be recorded, ${why}, and blockUnsafe is set.\n\n` +
      `If it may be sent: blockUnsafe: { allow: ${JSON.stringify(allow)} }\n`;
    flow.source = "tape";
    flow.response = FlowResponse.create({
      status: 502,
      headers: { "content-type": "text/plain; charset=utf-8", "x-flowtape-error": "unsafe" },
      body: explanation,
    });
    this.#refused(flow, explanation);
  }
}

function isWebSocket({ request: { scheme } }: HttpFlow): boolean {
  return scheme === "ws" || scheme === "wss";
}

function allowable(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}
