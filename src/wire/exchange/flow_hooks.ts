/**
 * The hooks of one HTTP flow: what addons leave behind is looked at before anything goes on.
 *
 * @module
 */
import { HookError, OptionsError } from "../../flow/error.ts";
import { checkFlowError, type FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import type { HookName } from "../../hooks/table.ts";

/** Whose hooks they are. */
export interface HookedFlow {
  /** What the hooks see. */
  readonly flow: HttpFlow;
  /** Whether the flow has ended. */
  readonly over: boolean;
  /** Ends it. */
  fail(error: FlowError): void;
}

/** Runs hooks one after the other. Nothing waits when no hook is async. */
export class FlowHooks {
  readonly #of: HookedFlow;
  readonly #hooks: Dispatcher;
  // The newest that is one: an addon may have put anything in its place.
  #request: FlowRequest;

  /** @param hooks calls the addons */
  constructor(of: HookedFlow, hooks: Dispatcher) {
    this.#of = of;
    this.#hooks = hooks;
    this.#request = of.flow.request;
  }

  /** Runs a hook, then goes on unless the flow has ended meanwhile. */
  run(name: HookName, next: () => void, more?: unknown): void {
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#hooks.run(name, this.#of.flow, more);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (waiting === undefined) this.proceed(next);
    else waiting.then(() => this.proceed(next), (error) => this.#failed(error));
  }

  /** Goes on unless the flow has ended. What an addon has left behind may be impossible to send: that fails its flow, not the proxy. */
  proceed(next: () => void): void {
    if (this.#of.over) return;
    try {
      this.#check();
      next();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Runs the hook `error`, and tells when it is over. */
  runError(ended: () => void): void {
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#hooks.run("error", this.#of.flow);
    } catch {
      // The dispatcher has reported it, and this flow has failed already.
    }
    this.#mend();
    if (waiting === undefined) return ended();
    const mended = () => {
      this.#mend();
      ended();
    };
    waiting.then(mended, mended);
  }

  #failed(error: unknown): void {
    this.#mend();
    // What a hook threw has been reported.
    const { message } = error instanceof HookError ? error : this.#hooks.refuse(error, this.#of.flow);
    this.#of.fail({ code: "HOOK_FAILED", message });
  }

  /** @throws {OptionsError} a part of the flow is none */
  #check(): void {
    const { error } = this.#of.flow;
    if (!this.#mend()) {
      throw new OptionsError(
        "flow.request is no FlowRequest: change the one that is there, or make one with FlowRequest.create()",
      );
    }
    if (error !== undefined) checkFlowError(error);
  }

  /** Whether the flow has its request; one is put back where there is none. */
  #mend(): boolean {
    const { flow } = this.#of;
    if (flow.request === this.#request) return true;
    if (flow.request instanceof FlowRequest) {
      this.#request = flow.request;
      return true;
    }
    flow.request = this.#request;
    return false;
  }
}
