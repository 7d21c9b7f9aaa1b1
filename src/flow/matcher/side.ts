/**
 * Which of the two messages of a flow is looked at.
 *
 * @module
 */
import type { HttpFlow } from "../http_flow.ts";
import type { Message } from "../message.ts";

/** One message of a flow. */
export interface MessageSide {
  /** In front of the names of fields. */
  readonly prefix: "" | "response.";
  /** The message; `undefined` as long as there is none. */
  of(flow: HttpFlow): Message | undefined;
}

/** The request. */
export const REQUEST: MessageSide = { prefix: "", of: ({ request }) => request };

/** The response. */
export const RESPONSE: MessageSide = { prefix: "response.", of: ({ response }) => response };

/** Why there is no response. */
export function missing({ error, done }: HttpFlow): string {
  if (error !== undefined) return `no response (${error.code})`;
  return done ? "no response" : "no response yet";
}
