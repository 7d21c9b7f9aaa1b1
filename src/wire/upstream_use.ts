/**
 * A way to the servers and the flows that use it.
 *
 * @module
 */
import type { Upstream } from "./outbound/upstream.ts";
import type { Observer } from "./wire_context.ts";

/** Counts the flows that began with an upstream: once another has taken its place, it is closed with the last of them. */
export class UpstreamUse {
  /** The upstream. */
  readonly upstream: Upstream;
  /** Called when it has been closed because nobody uses it any more. */
  readonly #onClosed: (use: UpstreamUse) => void;
  #flows = 0;
  #retired = false;

  constructor(upstream: Upstream, onClosed: (use: UpstreamUse) => void) {
    this.upstream = upstream;
    this.#onClosed = onClosed;
  }

  /** The observer of flows that use it. */
  observed(observer: Observer): Observer {
    return {
      ...observer,
      started: (flow) => {
        this.#flows++;
        observer.started(flow);
      },
      ended: (flow) => {
        observer.ended(flow);
        this.#flows--;
        this.#closeIfUnused();
      },
    };
  }

  /** No flow begins with it any more. */
  retire(): void {
    this.#retired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (!this.#retired || this.#flows > 0) return;
    this.upstream.close().then(() => this.#onClosed(this));
  }
}
