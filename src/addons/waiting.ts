/**
 * Decisions that have to wait for the request to be complete.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";

/** The flows of one addon that wait. */
export class Waiting {
  readonly #flows = new WeakMap<HttpFlow, () => unknown>();

  /** Does something when the request is complete: now, if it is. */
  whenComplete(flow: HttpFlow, then: () => unknown): unknown {
    if (flow.request.content.complete) return then();
    this.wait(flow, then);
  }

  /** Lets a flow wait: what comes behind this addon must not answer it before. */
  wait(flow: HttpFlow, then: () => unknown): void {
    this.#flows.set(flow, then);
    flow.undecided = true;
  }

  /** Whether a flow waits. */
  has(flow: HttpFlow): boolean {
    return this.#flows.has(flow);
  }

  /** Decides, unless somebody else has. For the hook `request`. */
  decide(flow: HttpFlow): unknown {
    const then = this.#flows.get(flow);
    if (then === undefined) return;
    this.#flows.delete(flow);
    flow.undecided = false;
    if (flow.response === undefined && flow.error === undefined) return then();
  }
}
