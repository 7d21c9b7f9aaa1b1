/**
 * One exchange with an application, in the place of a server's connection.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { LogEntry } from "../../hooks/addon.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import type { Detached } from "../exchange/upgrade.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import { Watch } from "../watch.ts";
import { type AppAnswer, type AppConnection, AppError, type Application } from "./application.ts";
import { RequestBody } from "./request_body.ts";
import { ResponseBody } from "./response_body.ts";
import { continueHead, headOf, switchHead } from "./response_head.ts";

/** What an exchange with an application needs to know. */
export interface AppStreamOptions {
  /** Milliseconds until the head of its answer, and between two pieces of the body. */
  readonly timeouts: { readonly head: number; readonly idle: number };
  /** The certificate of the proxy's authority, PEM. */
  readonly authority: string;
  /** A line for the log. */
  log(level: LogEntry["level"], message: string): void;
}

/** Asks an application, and tells what it says as if a server had. */
export class AppStream implements UpstreamStream {
  /** @inheritdoc */
  readonly reused = false;
  /** @inheritdoc */
  answered = false;
  /** @inheritdoc */
  readonly trickles = false;

  readonly #app: Application;
  readonly #options: AppStreamOptions;
  readonly #watch: Watch;
  readonly #abort = new AbortController();
  readonly #completed = Promise.withResolvers<void>();
  #flow: HttpFlow | undefined;
  #user: UpstreamUser | undefined;
  #upgradable = false;
  #request: RequestBody | undefined;
  #response: ResponseBody | undefined;
  #connection: AppConnection | undefined;

  /** @param app is asked once */
  constructor(app: Application, options: AppStreamOptions) {
    this.#app = app;
    this.#options = options;
    this.#watch = new Watch(() => this.#expired());
    // Whoever does not ask for it need not handle it.
    this.#completed.promise.catch(() => {});
  }

  /** @inheritdoc */
  send(request: OutgoingRequest, user: UpstreamUser): BodySink {
    const { flow, head, continued, handshake } = request;
    this.#flow = flow;
    this.#user = user;
    this.#upgradable = handshake !== undefined;
    this.#watch.set(this.#options.timeouts.head);
    const bodiless = handshake !== undefined || head.framing.kind === "none" && !flow.request.bodyEdited;
    if (!bodiless) {
      const waits = head.expectContinue && !continued;
      this.#request = new RequestBody(waits ? () => this.#user?.upstreamHead(continueHead()) : undefined);
    }
    // The answer comes in a later turn, as that of any server does.
    queueMicrotask(() => void this.#ask());
    return this.#request ?? NO_BODY_SINK;
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    if (this.#request === undefined) queueMicrotask(callback);
    else this.#request.drained(callback);
  }

  /** @inheritdoc */
  sending(): void {
    this.#watch.off();
  }

  /** @inheritdoc */
  sent(): void {
    if (this.#user !== undefined && this.#response === undefined) this.#watch.set(this.#options.timeouts.head);
  }

  /** @inheritdoc */
  stop(): void {
    this.#watch.off();
    this.#response?.stop();
  }

  /** @inheritdoc */
  go(): void {
    this.#response?.go();
  }

  /** @inheritdoc */
  detach(): Detached {
    const { stream, early } = this.#connection!;
    this.#forget();
    this.#completed.resolve();
    return { stream, early };
  }

  /** @inheritdoc */
  release(): void {
    this.#forget();
    this.#completed.resolve();
  }

  /** @inheritdoc */
  destroy(error?: FlowError): void {
    if (this.#user === undefined && this.#abort.signal.aborted) return;
    this.#forget();
    const reason = abortError(error?.message ?? "the answer is of no use any more");
    this.#connection?.stream.destroy();
    this.#response?.cancel(reason);
    this.#request?.cut(reason);
    // Whoever has said all it had to say is not told of what became of the rest of the request.
    if (this.#response?.ended) return this.#completed.resolve();
    this.#abort.abort(reason);
    this.#completed.reject(reason);
  }

  async #ask(): Promise<void> {
    const flow = this.#flow!;
    if (this.#user === undefined) return;
    try {
      const answer = await this.#app.answer({
        flow,
        body: this.#request?.stream ?? null,
        signal: this.#abort.signal,
        completed: this.#completed.promise,
        authority: this.#options.authority,
        upgradable: this.#upgradable,
        log: this.#options.log,
      });
      if (this.#user === undefined) discard(answer);
      else this.#answer(answer, this.#user);
    } catch (error) {
      this.#fail(error);
    }
  }

  #answer(answer: AppAnswer, user: UpstreamUser): void {
    this.answered = true;
    this.#watch.off();
    if (!(answer instanceof FlowResponse)) {
      this.#connection = answer;
      return user.upstreamHead(switchHead(answer.response));
    }
    if (answer.status === 101 && answer.websocket !== undefined) {
      if (!this.#upgradable) throw new Error("it switches to a WebSocket, which the client has not asked for");
      this.release();
      return user.upstreamAnswers!(answer);
    }
    const head = headOf(answer, this.#flow!.request.method);
    this.#response = new ResponseBody(answer, head.framing, {
      data: (data) => this.#user?.upstreamData({ type: "data", data, chunk: data.length, final: true }) ?? false,
      end: (trailers) => this.#user?.upstreamEnd(trailers),
      failed: (error) => this.#fail(error),
      waits: () => this.#watch.set(this.#options.timeouts.idle),
      came: () => this.#watch.off(),
    });
    user.upstreamHead(head);
  }

  #fail(cause: unknown): void {
    const user = this.#user;
    if (user === undefined) return;
    const error = cause instanceof AppError
      ? { code: cause.code, message: cause.message, status: cause.status }
      : this.#failure(cause);
    this.destroy(error);
    user.upstreamFailed(error);
  }

  #failure(cause: unknown): FlowError {
    const { method, url } = this.#flow!.request;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : `it threw ${String(cause)}`;
    const message = this.#response === undefined
      ? `the application could not answer ${method} ${url}: ${why}`
      : `the application failed in the middle of its answer to ${method} ${url}: ${why}`;
    const stack = cause instanceof Error && cause.stack ? `\n${cause.stack}` : "";
    this.#options.log("error", message + stack);
    return { code: "APP_FAILED", message };
  }

  #expired(): void {
    const user = this.#user;
    if (user === undefined) return;
    const { method, url } = this.#flow!.request;
    const { head, idle } = this.#options.timeouts;
    const error: FlowError = {
      code: "APP_TIMEOUT",
      message: this.#response === undefined
        ? `the application did not answer ${method} ${url} within ${head} ms (timeouts.head)`
        : `the application said nothing for ${idle} ms in the middle of its answer to ${method} ${url} (timeouts.idle)`,
    };
    this.destroy(error);
    user.upstreamFailed(error);
  }

  #forget(): void {
    this.#user = undefined;
    this.#watch.close();
    // What has not been read of the request by now is not waited for.
    this.#request?.drained(() => {});
  }
}

const NO_BODY_SINK: BodySink = { data: () => true, end: () => {} };

/** Nobody waits for it any more. */
function discard(answer: AppAnswer): void {
  if (!(answer instanceof FlowResponse)) answer?.stream?.destroy();
  else answer.source?.cancel().catch(() => {});
}

function abortError(message: string): DOMException {
  return new DOMException(message, "AbortError");
}
