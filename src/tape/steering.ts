/**
 * What the tape does in the hooks of a flow, by the mode of that flow.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { BodyIncompleteError } from "../flow/message.ts";
import type { FlowMode, Modes } from "./modes.ts";
import type { Player } from "./player.ts";
import type { UnsafeGuard } from "./unsafe.ts";
import type { Verifier } from "./verify/verifier.ts";

/** What flows are led to. */
export interface SteeringOptions {
  readonly modes: Modes;
  /** There is one when any flow may be replayed. */
  readonly player?: Player | undefined;
  readonly guard?: UnsafeGuard | undefined;
  /** There is one when any flow may be verified. */
  readonly verifier?: Verifier | undefined;
}

/** Leads each flow to where its mode wants it. */
export class Steering {
  readonly #with: SteeringOptions;
  readonly #modes = new WeakMap<Flow, FlowMode>();
  // Flows of which more must be known: their bodies.
  readonly #waiting = new WeakSet<HttpFlow>();

  /** Does nothing by itself. */
  constructor(options: SteeringOptions) {
    this.#with = options;
  }

  /** Whether hooks have anything to do. */
  get needed(): boolean {
    const { modes, guard } = this.#with;
    return guard !== undefined || modes.mixed || !modes.all("record", "passthrough");
  }

  /** The mode of a flow; a flow that never came here, or of which too little is known yet, has that of the tape. */
  modeOf(flow: Flow): FlowMode {
    const known = this.#modes.get(flow);
    if (known !== undefined) return known;
    try {
      return this.#with.modes.of(flow);
    } catch {
      // A matcher that fails has ended the flow, or must see more of it.
      return this.#with.modes.main;
    }
  }

  /** The place of the matcher that a flow has its mode from; -1 when that is the mode of the tape. */
  placeOf(flow: HttpFlow): number {
    try {
      return this.#with.modes.placeOf(flow);
    } catch {
      return -1;
    }
  }

  /** Whether the `request` hook is needed for a flow. */
  waitsFor(flow: HttpFlow): boolean {
    return this.#waiting.has(flow) || (this.#with.player?.waitsFor(flow) ?? false);
  }

  /** The head of a request is there. */
  requestHeaders(flow: HttpFlow): Promise<void> | undefined {
    this.#with.player?.watch(flow);
    if (isSettled(flow)) return undefined;
    const mode = this.#whenWhole(flow, () => this.#with.modes.of(flow));
    return mode === undefined ? undefined : this.#lead(flow, mode);
  }

  /** The whole request is there. */
  request(flow: HttpFlow): Promise<void> | undefined {
    const { player } = this.#with;
    const waited = this.#waiting.delete(flow);
    if (isSettled(flow)) return undefined;
    const begun = waited ? this.#lead(flow, this.#modes.get(flow) ?? this.#with.modes.of(flow)) : undefined;
    return then(begun, () => {
      if (player === undefined || !player.waitsFor(flow)) return undefined;
      return then(player.request(flow), () => this.#missed(flow));
    });
  }

  #lead(flow: HttpFlow, mode: FlowMode): Promise<void> | undefined {
    const { player, verifier } = this.#with;
    this.#modes.set(flow, mode);
    switch (mode) {
      case "passthrough":
        return undefined;
      case "record":
        return this.#guarded(flow);
      case "verify":
        // What is sent to the server must be all there.
        if (verifier!.asks(flow) && !flow.request.content.complete) {
          this.#wait(flow);
          return undefined;
        }
    }
    return then(player!.requestHeaders(flow), () => this.#missed(flow));
  }

  /** What is not on the tape is about to be sent. */
  #missed(flow: HttpFlow): undefined {
    const answered = flow.response !== undefined || flow.error !== undefined;
    if (!answered && !this.#with.player!.waitsFor(flow) && this.#modes.get(flow) === "auto") this.#guarded(flow);
    return undefined;
  }

  #guarded(flow: HttpFlow): undefined {
    const { guard } = this.#with;
    if (guard === undefined) return undefined;
    // A rule that waits for the body may still answer.
    if (flow.undecided && !flow.request.content.complete) this.#wait(flow);
    else if (this.#whenWhole(flow, () => guard.blocks(flow))) guard.refuse(flow);
    return undefined;
  }

  /** `undefined`: it cannot be said before the body is there, and is asked again then. */
  #whenWhole<T>(flow: HttpFlow, ask: () => T): T | undefined {
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof BodyIncompleteError)) throw error;
      this.#wait(flow);
      return undefined;
    }
  }

  #wait(flow: HttpFlow): void {
    flow.request.stream = false;
    this.#waiting.add(flow);
  }
}

function then(
  before: Promise<void> | undefined,
  next: () => Promise<void> | undefined,
): Promise<void> | undefined {
  return before === undefined ? next() : before.then(next);
}

/** What is answered without a server is not on the tape. */
function isSettled({ response, error, source }: HttpFlow): boolean {
  return response !== undefined || error !== undefined || source === "app";
}
