/**
 * Asynchronous work that must not outlive its flow or the proxy.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import { ensureState, type FlowState } from "./flow_state.ts";

/** All work of one proxy's rules that is under way. */
export class Lifeline {
  readonly #flows = new Set<FlowState>();
  #cut = false;

  /**
   * Waits for work, but not longer than the flow lives: what a user wrote may never settle. A flow that ends because the
   * proxy closes gets its `error` here, so that nobody sends it on.
   *
   * @returns whether the flow lives on; `done` has then had the result
   */
  async during<T>(
    flow: HttpFlow | TcpFlow,
    work: PromiseLike<T>,
    done: (result: T) => void | Promise<void>,
  ): Promise<void> {
    const state = ensureState(flow);
    const unwatch = watchKill(flow, state);
    this.#flows.add(state);
    if (this.#cut) state.abort();
    try {
      const result = await untilAborted(work, state.signal);
      if (result !== ABORTED) return await done(result);
    } finally {
      this.#flows.delete(state);
      unwatch();
    }
    const name = flow.type === "http" ? `${flow.request.method} ${flow.request.url}` : `${flow.hostname}:${flow.port}`;
    flow.error ??= { code: "PROXY_CLOSED", message: `the proxy was closed while a rule was at work on ${name}` };
  }

  /** Ends everything now and in future. */
  cut(): void {
    this.#cut = true;
    for (const state of this.#flows) state.abort();
  }
}

const ABORTED: unique symbol = Symbol("aborted");

function untilAborted<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T | typeof ABORTED> {
  return new Promise((resolve, reject) => {
    const end = () => resolve(ABORTED);
    const settle = (then: () => void) => {
      signal.removeEventListener("abort", end);
      then();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
    work.then((result) => settle(() => resolve(result)), (error) => settle(() => reject(error)));
  });
}

/** `flow.kill()` tells one listener, the wire's: it is told too. */
function watchKill(flow: HttpFlow | TcpFlow, state: FlowState): () => void {
  const wire = flow.onKill;
  const watch = () => {
    state.abort();
    wire?.();
  };
  flow.onKill = watch;
  return () => {
    if (flow.onKill === watch) flow.onKill = wire;
  };
}
