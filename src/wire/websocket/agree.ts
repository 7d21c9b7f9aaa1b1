/**
 * The addons are asked about a WebSocket, whoever has agreed to it: a server, an addon, a recording.
 *
 * @module
 */
import type { FlowResponse } from "../../flow/response.ts";
import type { Exchange } from "../exchange/exchange.ts";

/** What becomes of a 101 that addons are asked about. */
export interface Agreement<Talk extends { withdraw(): void }> {
  /** An addon wants another answer: `flow.response` is no longer the one that was given, or no longer a 101. */
  refused(): void;
  /** Makes the conversation, which the hook `websocketHandshake` may see and use. */
  converse(): Talk;
  /** It stands: the conversation may begin. */
  accept(talk: Talk): void;
}

/** Asks the addons about a 101: about the response, then about the handshake. */
export function agree<Talk extends { withdraw(): void }>(
  exchange: Exchange,
  given: FlowResponse,
  then: Agreement<Talk>,
): void {
  const stands = () => exchange.flow.response === given && given.status === 101;
  exchange.hook("responseHeaders", () =>
    exchange.unlessFailed(() => {
      if (!stands()) return then.refused();
      const talk = then.converse();
      exchange.hook("websocketHandshake", () =>
        exchange.unlessFailed(() => {
          if (stands()) return then.accept(talk);
          talk.withdraw();
          then.refused();
        }));
    }));
}
