/**
 * Tells another URL what has passed.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import process from "node:process";
import { OptionsError } from "../flow/error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { redactText, redactUrl } from "../flow/sensitive.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkObject } from "../rules/check.ts";
import { directFetch } from "../wire/direct_fetch.ts";
import { webhookReport } from "./webhook_report.ts";

/** How {@linkcode webhook} does it. */
export interface WebhookOptions {
  /** Header fields of what is sent. */
  headers?: { readonly [name: string]: string };
  /** How many bytes of each body are told; 0 for none. 64 KiB by default. */
  maxBody?: number;
  /** How long one delivery may take, in milliseconds. 5,000 by default. */
  timeout?: number;
  /** How many deliveries may be under way; further ones are dropped, which is a failure. 100 by default. */
  maxPending?: number;
  /** Told of what could not be delivered. By default the first failure is written to the standard error stream. */
  onFailure?: (message: string) => void;
}

/** The addon that {@linkcode webhook} makes. */
export interface Webhook extends Addon {
  /** How many flows were delivered: answered with 2xx. */
  readonly delivered: number;
  /** What could not be delivered and why: the newest 100. */
  readonly failures: readonly string[];
}

const MAX_FAILURES = 100;
/** How long `proxy.close()` waits for deliveries. */
const CLOSING_MS = 2000;

/**
 * Sends a POST with JSON to a URL for every flow that is over: request, response or error, and times. Credentials are redacted. The flow never
 * waits for it, nor does what goes wrong with it concern the flow. WebSockets are not told of.
 *
 * @param url where to; flows to this URL are not told of
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 * import { webhook } from "flowtape/addons";
 *
 * const told = webhook("http://127.0.0.1:9/flows", {
 *   headers: { "x-suite": "checkout" },
 *   onFailure: (message) => console.log(message),
 * });
 * await using proxy = await startProxy({
 *   rules: [["http://shop.test/*", respond({ json: { ok: true } })]],
 *   addons: [told],
 * });
 * await (await proxy.fetch("http://shop.test/cart")).text();
 * ```
 *
 * @throws {OptionsError} the URL or an option is not accepted
 */
export function webhook(url: string | URL, options: WebhookOptions = {}): Webhook {
  const target = URL.parse(url);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw new OptionsError(`webhook() takes an absolute http or https URL, not ${describeValue(String(url))}`);
  }
  return new Deliveries(target, settingsOf(options));
}

type Settings = Required<Omit<WebhookOptions, "onFailure">> & Pick<WebhookOptions, "onFailure">;

class Deliveries implements Webhook {
  readonly name = "webhook";
  readonly failures: string[] = [];
  delivered = 0;

  readonly #target: URL;
  readonly #settings: Settings;
  readonly #pending = new Map<Promise<void>, AbortController>();
  #toldOnce = false;

  constructor(target: URL, settings: Settings) {
    this.#target = target;
    this.#settings = settings;
  }

  needs(hook: "request" | "response"): "after" | false {
    return hook === "response" ? "after" : false;
  }

  response(flow: HttpFlow): void {
    this.#tell(flow);
  }

  error(flow: HttpFlow): void {
    this.#tell(flow);
  }

  async done(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSING_MS);
    await Promise.race([Promise.all(this.#pending.keys()), late.promise]);
    clearTimeout(timer);
    for (const controller of this.#pending.values()) controller.abort(new Error("the proxy was closed"));
    await Promise.all(this.#pending.keys());
  }

  #tell(flow: HttpFlow): void {
    const { maxPending, maxBody } = this.#settings;
    const { origin, pathname } = this.#target;
    // A process that sends everything through the proxy would otherwise tell of the telling.
    if (flow.request.originalUrl.startsWith(origin + pathname)) return;
    if (this.#pending.size >= maxPending) return this.#failed(flow, `${maxPending} others are under way (maxPending)`);
    try {
      // Now, and not when it is sent: whoever edits the flow later does not change what was.
      const body = JSON.stringify(webhookReport(flow, maxBody));
      const controller = new AbortController();
      const sending: Promise<void> = this.#send(flow, body, controller).finally(() => this.#pending.delete(sending));
      this.#pending.set(sending, controller);
    } catch (cause) {
      this.#failed(flow, cause);
    }
  }

  /** Never rejects. */
  async #send(flow: HttpFlow, body: string, controller: AbortController): Promise<void> {
    const { headers, timeout } = this.#settings;
    const timer = setTimeout(() => controller.abort(new Error(`no answer in ${timeout} ms`)), timeout);
    try {
      const response = await directFetch(this.#target, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
        redirect: "manual",
        signal: controller.signal,
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      this.delivered++;
    } catch (cause) {
      this.#failed(flow, controller.signal.aborted ? controller.signal.reason : cause);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed({ request: { method, url } }: HttpFlow, cause: unknown): void {
    const inner = cause instanceof Error && cause.cause instanceof Error ? `: ${cause.cause.message}` : "";
    const why = (cause instanceof Error ? cause.message : String(cause)) + inner;
    // Many of them have their secret in the path.
    const message = `the webhook at ${this.#target.host} was not told of ${method} ${redactUrl(url)}: ${
      redactText(why)
    }`;
    this.failures.push(message);
    if (this.failures.length > MAX_FAILURES) this.failures.shift();
    try {
      if (this.#settings.onFailure !== undefined) this.#settings.onFailure(message);
      else if (!this.#toldOnce) process.stderr.write(`[flowtape] warn: ${message}\n`);
    } catch {
      // What is told of a failure may not become one.
    }
    this.#toldOnce = true;
  }
}

function settingsOf(options: WebhookOptions): Settings {
  checkObject(options, ["headers", "maxBody", "timeout", "maxPending", "onFailure"], "the options of webhook()");
  const { headers = {}, maxBody = 64 * 1024, timeout = 5000, maxPending = 100, onFailure } = options as WebhookOptions;
  // A trial on fields that nobody sends.
  FlowHeaders.from(headers);
  for (
    const [name, value, min] of [["maxBody", maxBody, 0], ["timeout", timeout, 1], [
      "maxPending",
      maxPending,
      1,
    ]] as const
  ) {
    if (Number.isInteger(value) && value >= min && value < 2 ** 31) continue;
    throw new OptionsError(`${name} of webhook() is ${describeValue(value)}: a whole number from ${min} is accepted`);
  }
  if (onFailure !== undefined && typeof onFailure !== "function") {
    throw new OptionsError(`onFailure of webhook() is ${describeValue(onFailure)}: a function is accepted`);
  }
  return { headers, maxBody, timeout, maxPending, onFailure };
}
