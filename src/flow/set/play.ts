/**
 * Sending many flows again.
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../error.ts";
import type { Flow } from "../flow.ts";
import type { HttpFlow } from "../http_flow.ts";
import { describeValue } from "../matcher/describe.ts";
import { checkPlayer, type FlowPlayer, type PlayFlowOptions, unbound } from "../player.ts";
import { shuffled } from "../random.ts";
import type { FlowRequest } from "../request.ts";
import { didYouMean } from "../suggest.ts";
import { describeFlow } from "../summary.ts";

/** How flows are played. */
export interface PlayOptions extends PlayFlowOptions {
  /** In which order they are sent: `"kept"`, that of the set, by default. The result is in the order of the set in any case. */
  order?: "kept" | "shuffled";
  /** Another number shuffles in another order. 1 by default. */
  seed?: number;
  /** How many may be under way at once. 1 by default. */
  concurrency?: number;
  /** Changes each request before it is sent; the flow that it comes from stays as it is. May be async. */
  edit?: PlayEditor;
  /** Plays all of them, whatever they are bound to. */
  proxy?: FlowPlayer;
}

/**
 * Changes a request that is about to be sent.
 *
 * @param request a copy
 * @param flow where it comes from
 * @param index its place in the set
 */
export type PlayEditor = (request: FlowRequest, flow: HttpFlow, index: number) => unknown;

/**
 * Plays flows.
 *
 * @returns the new flows, in the order of the old ones; those that could not be sent have an error
 * @throws {OptionsError} a flow cannot be played; nothing has been sent then
 * @throws whatever `edit` throws, when those that are under way have ended
 */
export async function playAll(flows: readonly Flow[], options: PlayOptions = {}): Promise<HttpFlow[]> {
  checkPlayOptions(options);
  const { order = "kept", seed = 1, concurrency = 1, edit, proxy, timeout } = options;
  const jobs = flows.map((flow, index) => jobOf(flow, index, proxy));
  const waiting = (order === "shuffled" ? shuffled(jobs, seed) : jobs).values();
  const played = new Array<HttpFlow>(jobs.length);
  let failed: { readonly error: unknown } | undefined;
  const work = async () => {
    for (const { flow, player, index } of waiting) {
      if (failed !== undefined) return;
      const copy = flow.edit(() => {});
      try {
        // It may be async, unlike that of flow.edit().
        if (edit !== undefined) await edit(copy.request, flow, index);
      } catch (error) {
        failed ??= { error };
        return;
      }
      played[index] = await player.play(copy, { timeout }).catch((error: unknown) => notSent(copy, error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work));
  if (failed !== undefined) throw failed.error;
  return played;
}

/**
 * Why a flow cannot be sent again; `undefined` when it can.
 */
export function unplayable(flow: Flow): string | undefined {
  if (flow.type === "tcp") return "a raw conversation, which has no request to send";
  const { method, scheme } = flow.request;
  if (scheme === "ws" || scheme === "wss") return "a WebSocket, which needs a client that talks";
  if (method === "CONNECT") return "a request for a tunnel, which needs a client that uses it";
  return method === "MALFORMED" ? "no request: what came could not be read" : undefined;
}

interface Job {
  readonly flow: HttpFlow;
  readonly player: FlowPlayer;
  readonly index: number;
}

function jobOf(flow: Flow, index: number, proxy: FlowPlayer | undefined): Job {
  const { method, url } = describeFlow(flow);
  const what = `flow ${index} (${method} ${url})`;
  const problem = unplayable(flow);
  if (problem !== undefined || flow.type === "tcp") {
    throw new OptionsError(
      `${what} cannot be played, it is ${problem}: leave it out with filter(), or use proxy.replayThroughHooks()`,
    );
  }
  const player = proxy ?? flow.player;
  if (player === undefined) throw unbound(what);
  return { flow, player, index };
}

function notSent(flow: HttpFlow, error: unknown): HttpFlow {
  const code = error instanceof FlowtapeError ? error.code : "PLAY_FAILED";
  flow.error = { code, message: error instanceof Error ? error.message : String(error) };
  flow.timings.end = 0;
  flow.done = true;
  return flow;
}

const KNOWN = ["order", "seed", "concurrency", "edit", "proxy", "timeout"];

function checkPlayOptions(options: PlayOptions): void {
  checkPlayFlowOptions(options, KNOWN);
  const { order, seed, concurrency, edit, proxy } = options;
  if (order !== undefined && order !== "kept" && order !== "shuffled") {
    throw new OptionsError(`play() takes "kept" or "shuffled" as order, not ${describeValue(order)}`);
  }
  if (seed !== undefined && !Number.isInteger(seed)) {
    throw new OptionsError(`the seed of play() is a whole number, not ${describeValue(seed)}`);
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new OptionsError(
      `the concurrency of play() is a whole number of 1 or more, not ${describeValue(concurrency)}`,
    );
  }
  if (edit !== undefined && typeof edit !== "function") {
    throw new OptionsError(`edit of play() is a function that changes a request, not ${describeValue(edit)}`);
  }
  if (proxy !== undefined) checkPlayer(proxy, "proxy of play()");
}

/** Refuses other options than those of one flow. */
export function checkPlayFlowOptions(options: PlayFlowOptions, known: readonly string[] = ["timeout"]): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError(`play() takes an object with ${known.join(", ")}, not ${describeValue(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new OptionsError(
      `play() does not know ${JSON.stringify(key)}${didYouMean(key, known)} (accepted are ${known.join(", ")})`,
    );
  }
  const { timeout } = options;
  if (timeout === undefined || Number.isInteger(timeout) && timeout >= 1 && timeout < 2 ** 31) return;
  throw new OptionsError(`the timeout of play() is a whole number of milliseconds, not ${describeValue(timeout)}`);
}
