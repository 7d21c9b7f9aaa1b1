/**
 * Sends flows through a rule engine as the wire does, hook by hook, without sockets.
 *
 * @module
 */
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowRequest } from "../../src/flow/request.ts";
import { FlowResponse } from "../../src/flow/response.ts";
import type { Addon } from "../../src/hooks/addon.ts";
import { Dispatcher } from "../../src/hooks/dispatcher.ts";

export interface Sent {
  method?: string;
  url?: string;
  headers?: Record<string, string | string[]>;
  /** Arrives after the head. */
  body?: string | Uint8Array;
  /** What the server answers; an empty 200 by default. */
  upstream?: Parameters<typeof FlowResponse.create>[0];
  /** Has its hooks called, too. */
  addons?: { before?: Addon[]; after?: Addon[] };
}

export interface Passed {
  flow: HttpFlow;
  response: FlowResponse | undefined;
  /** The hooks that fired, in order. */
  hooks: string[];
  /** Whether the server got the request. */
  forwarded: boolean;
}

export function newFlow({ method = "GET", url = "http://a.test/", headers = {}, body }: Sent = {}): HttpFlow {
  const request = FlowRequest.create({ method, url, headers });
  if (body !== undefined) request.content = new BodyBuffer();
  return new HttpFlow(request, { id: 1, host: "127.0.0.1", port: 40000 });
}

/** Sends one flow through; rejects with what a hook throws. */
export async function pass(engine: Addon, sent: Sent = {}, flow: HttpFlow = newFlow(sent)): Promise<Passed> {
  const hooks: string[] = [];
  const dispatcher = new Dispatcher([...sent.addons?.before ?? [], engine, ...sent.addons?.after ?? []], () => {});
  const run = async (hook: "requestHeaders" | "request" | "responseHeaders" | "response" | "error") => {
    hooks.push(hook);
    await dispatcher.run(hook, flow);
  };
  const answered = () => flow.response !== undefined || flow.error !== undefined;

  await run("requestHeaders");
  if (!answered()) {
    if (sent.body !== undefined) fill(flow.request.content, sent.body);
    if (dispatcher.needs("request", flow)) await run("request");
  }
  const forwarded = !answered();
  const upstream = sent.upstream ?? {};
  if (forwarded) {
    flow.response = FlowResponse.create({ ...upstream, body: "" });
    flow.response.content = new BodyBuffer();
  }
  if (flow.error === undefined) {
    await run("responseHeaders");
    if (forwarded && !flow.response!.content.complete) fill(flow.response!.content, bytesOf(upstream));
    if (flow.response!.source !== undefined) await pump(flow.response!);
    if (dispatcher.needs("response", flow)) await run("response");
  }
  if (flow.error !== undefined) await run("error");
  return { flow, response: flow.response, hooks, forwarded };
}

/** The text of the answer to one flow, `error CODE`, or `forwarded`. */
export async function answer(engine: Addon, sent: Sent | string = {}): Promise<string> {
  const { flow, forwarded } = await pass(engine, typeof sent === "string" ? { url: sent } : sent);
  if (flow.error !== undefined) return `error ${flow.error.code}`;
  return forwarded ? "forwarded" : flow.response!.text();
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A stream of some pieces. */
export function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encode(piece));
      controller.close();
    },
  });
}

function bytesOf(init: NonNullable<Sent["upstream"]>): string | Uint8Array {
  return init.json === undefined ? init.body as string | Uint8Array ?? "" : JSON.stringify(init.json);
}

function fill(content: BodyBuffer, body: string | Uint8Array): void {
  content.push(typeof body === "string" ? encode(body) : body);
  content.complete = true;
}

async function pump(response: FlowResponse): Promise<void> {
  for await (const piece of response.source!) response.content.push(piece);
  response.content.complete = true;
}
