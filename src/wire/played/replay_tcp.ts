/**
 * A raw conversation of which everything that was said is known: its hooks are asked about it once more.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import { noteSentAgain } from "../../flow/sent_again.ts";
import { TcpFlow } from "../../flow/tcp_flow.ts";
import { TcpMessage } from "../../flow/tcp_message.ts";
import type { HookName } from "../../hooks/table.ts";
import type { ClientConnection, WireContext } from "../wire_context.ts";
import { playedPeer } from "./play.ts";

/** Resolves with the new flow when its last hook has run. */
export async function replayTcp(recorded: TcpFlow, context: WireContext): Promise<TcpFlow> {
  const flow = new TcpFlow(recorded, playedPeer(recorded));
  noteSentAgain(flow);
  flow.serverName = recorded.serverName;
  flow.marked = recorded.marked;
  flow.comment = recorded.comment;
  const run = new Run(flow, context);
  context.clients.add(run);
  context.observer.started(flow);
  try {
    await run.conversation(recorded);
  } finally {
    context.clients.delete(run);
    context.observer.ended(flow);
  }
  return flow;
}

class Run implements ClientConnection {
  readonly #flow: TcpFlow;
  readonly #context: WireContext;
  readonly #cut = Promise.withResolvers<void>();

  constructor(flow: TcpFlow, context: WireContext) {
    this.#flow = flow;
    this.#context = context;
    flow.onKill = () => this.#cut.resolve();
  }

  shutDown(reason: FlowError): void {
    this.#flow.error ??= reason;
    this.#cut.resolve();
  }

  async conversation(recorded: TcpFlow): Promise<void> {
    const flow = this.#flow;
    await this.#hook("tcpStart");
    if (flow.error === undefined) {
      flow.server = recorded.server;
      await this.#messages(recorded);
    }
    if (flow.error === undefined && recorded.error !== undefined) flow.error = { ...recorded.error };
    flow.timings.end = performance.now() - flow.origin;
    flow.onKill = undefined;
    flow.done = true;
    const last = flow.error === undefined ? "tcpEnd" : "tcpError";
    // Nothing follows it, so that it need not end when the proxy is closed.
    try {
      await Promise.race([this.#context.hooks.run(last, flow), this.#cut.promise]);
    } catch {
      // The dispatcher has reported it.
    }
  }

  async #messages(recorded: TcpFlow): Promise<void> {
    const flow = this.#flow;
    for (const { from, time, data } of recorded.messages) {
      const message = new TcpMessage(from, time, new Uint8Array(data));
      flow.messages.push(message);
      await this.#hook("tcpMessage", message);
      message.seal();
      if (flow.error !== undefined) return;
    }
    Object.assign(flow.bytes, recorded.bytes);
    flow.truncated = recorded.truncated;
  }

  // Whoever ends the flow in the middle of a hook does not wait for it.
  async #hook(name: HookName, message?: TcpMessage): Promise<void> {
    try {
      const waiting = this.#context.hooks.run(name, this.#flow, message);
      if (waiting !== undefined) await Promise.race([waiting, this.#cut.promise]);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#flow.error ??= { code: "HOOK_FAILED", message: why };
    }
  }
}
