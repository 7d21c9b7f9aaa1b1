/**
 * One request to one server, over a connection of its own, with no proxy's hooks, rules or flows around it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { Dispatcher } from "../../hooks/dispatcher.ts";
import { HOPS, namedByConnection } from "../exchange/fields.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import type { UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import type { DataEvent } from "../http1/event.ts";
import type { ResponseHead } from "../http1/head.ts";
import { DialError } from "../outbound/dial.ts";
import { Upstream } from "../outbound/upstream.ts";
import { WayOut } from "../outbound/way_out.ts";
import { newProxyName } from "../trail.ts";
import { type OnceRequest, prepare, type Prepared } from "./once_request.ts";

/** How a request is sent. */
export interface OnceOptions {
  /** `host:port` to connect to instead of the host of the URL. */
  readonly connect?: string;
  /** Certificate authorities that are trusted besides the well-known ones, PEM. */
  readonly ca: readonly string[];
  /** Whether the certificate of the server must be trusted. */
  readonly verify: boolean;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/** What a server has answered. */
export interface OnceResponse {
  /** 200 to 999; 101 with a {@linkcode OnceResponse.connection | connection}. */
  readonly status: number;
  /** The reason phrase; `""` when there is none. */
  readonly reason: string;
  /** The fields, without those that concern the connection alone. */
  readonly headers: FlowHeaders;
  /** The body with its content coding, read from the server as fast as it is read here; `null` when there can be none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** After 101: the connection, which belongs to the caller now. */
  readonly connection?: { readonly stream: Duplex; readonly early: Uint8Array };
}

/** The server could not be asked, or has not answered. */
export class OnceError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "OnceError";
  /** The same as flows have it. */
  readonly failure: FlowError;

  /** Makes one. */
  constructor(failure: FlowError, options?: ErrorOptions) {
    super(failure.code, failure.message, options);
    this.failure = failure;
  }
}

/** The largest head of a response, in bytes. */
const HEAD_BYTES = 256 * 1024;
/** So many bytes of a response may wait for a reader who is slow. */
const HIGH_WATER = 64 * 1024;

/**
 * Sends a request; resolves when the head of the answer is there. What the server says before it (1xx) is not told.
 *
 * @throws {OnceError} there is no answer
 * @throws {ProtocolError} the request is no valid HTTP
 * @throws the reason of the signal
 */
export async function sendOnce(request: OnceRequest, options: OnceOptions): Promise<OnceResponse> {
  options.signal?.throwIfAborted();
  return await new Once(prepare(request), request.body, options).response;
}

class Once implements UpstreamUser {
  readonly #request: Prepared;
  readonly #response = Promise.withResolvers<OnceResponse>();
  readonly #upstream: Upstream;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #onAbort = () => this.#fail(this.#signal!.reason);
  #stream: UpstreamStream | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #over = false;

  constructor(request: Prepared, body: ReadableStream<Uint8Array> | null, options: OnceOptions) {
    this.#request = request;
    this.#reader = body?.getReader();
    this.#signal = options.signal;
    this.#upstream = upstreamFor(request, options);
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#begin().catch((error: unknown) => {
      this.#fail(error instanceof DialError ? new OnceError(error.failure, { cause: error }) : error);
    });
  }

  get response(): Promise<OnceResponse> {
    return this.#response.promise;
  }

  upstreamHead(head: ResponseHead): void {
    if (head.status === 101) return this.#switch(head);
    if (head.status < 200) return;
    const headers = withoutHops(FlowHeaders.fromFields(head.fields));
    const body = head.framing.kind === "none" ? null : this.#open();
    this.#response.resolve({ status: head.status, reason: head.reason, headers, body });
  }

  upstreamData({ data }: DataEvent): boolean {
    // The parser may use its memory again.
    this.#body!.enqueue(new Uint8Array(data));
    return (this.#body!.desiredSize ?? 1) > 0;
  }

  upstreamEnd(): void {
    const body = this.#body;
    this.#end();
    body?.close();
  }

  upstreamFailed(error: FlowError): void {
    this.#fail(new OnceError(error));
  }

  upstreamRefused(error: FlowError): void {
    this.#fail(new OnceError(error));
  }

  async #begin(): Promise<void> {
    const stream = await this.#upstream.connect(this.#request.flow);
    if (this.#over) return stream.destroy();
    this.#stream = stream;
    const sink = stream.send(this.#request, this);
    if (this.#reader === undefined) stream.sent();
    else await this.#pump(this.#reader, sink, stream);
  }

  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>, sink: BodySink, stream: UpstreamStream): Promise<void> {
    let sent = 0;
    const { length } = this.#request;
    for (;;) {
      stream.sending();
      const { done, value } = await reader.read();
      if (this.#over) return;
      if (done) break;
      if (value.length === 0) continue;
      sent += value.length;
      if (length !== undefined && sent > length) break;
      if (!sink.data({ data: value, chunk: value.length, final: true })) {
        stream.sent();
        await new Promise<void>((resolve) => stream.drained(resolve));
      }
      if (this.#over) return;
    }
    if (length !== undefined && sent !== length) {
      const what = sent > length ? `more than the ${length} bytes` : `${sent} of the ${length} bytes`;
      throw new OnceError({
        code: "CLIENT_ABORTED",
        message: `the body of the request has ${what} that its Content-Length says`,
      });
    }
    sink.end("");
    stream.sent();
  }

  #open(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#body = controller),
      pull: () => this.#stream?.go(),
      cancel: () => this.#end(),
    }, { highWaterMark: HIGH_WATER, size: (piece) => piece.byteLength });
  }

  #switch(head: ResponseHead): void {
    const stream = this.#stream!;
    stream.stop();
    this.#stream = undefined;
    const headers = FlowHeaders.fromFields(head.fields);
    const connection = stream.detach!();
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#response.resolve({ status: 101, reason: head.reason, headers, body: null, connection });
  }

  #fail(error: unknown): void {
    const body = this.#body;
    if (this.#over) return;
    this.#end(error);
    this.#response.reject(error);
    body?.error(error);
  }

  #end(why?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#body = undefined;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#reader?.cancel(why).catch(() => {});
    this.#stream?.destroy();
    void this.#upstream.close();
  }
}

function upstreamFor({ flow }: Prepared, { connect, ca, verify, timeouts }: OnceOptions): Upstream {
  const hooks = new Dispatcher([], () => {});
  const { hostname, port } = flow.request;
  const hosts = connect === undefined ? {} : { [`${hostname}:${port}`]: connect };
  const shared = { ca, timeouts, hosts, verifyProxy: true, isSelf: () => Promise.resolve(false) };
  const wayOut = new WayOut({ ...shared, hooks, signal: new AbortController().signal, log: () => {} });
  const config = { ...shared, wayOut, verify: () => verify, http2: false, persistent: false, headBytes: HEAD_BYTES };
  return new Upstream({ ...config, name: newProxyName() }, hooks);
}

/** The fields without those that concern one connection (RFC 9110 section 7.6.1), and what framed the body on it. */
function withoutHops(headers: FlowHeaders): FlowHeaders {
  const named = namedByConnection(headers);
  for (const name of [...HOPS, ...named, "transfer-encoding"]) headers.delete(name);
  return headers;
}
