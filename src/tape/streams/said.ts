/**
 * What was said in a conversation: over a WebSocket, or in raw bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { Timings } from "../../flow/timings.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Side, WebSocketConversation } from "../../flow/websocket.ts";

/** Something that one side said. */
export interface Said {
  /** Who said it. */
  readonly from: Side;
  /** A text message of a WebSocket; raw bytes are none. */
  readonly text: boolean;
  /** Its bytes. */
  readonly data: Uint8Array;
  /** Milliseconds after the start of the flow; missing where nobody knows. */
  readonly time?: number;
}

/** How a WebSocket was closed. */
export interface SaidClose {
  /** 1005: without a code. 1006: the connection was cut. */
  readonly code: number;
  /** Often `""`. */
  readonly reason: string;
  /** Who closed first. */
  readonly by: Side;
}

/** A conversation over a WebSocket as it is written. */
export interface ConversationParts {
  readonly messages: readonly Said[];
  /** Missing: it was open when the recording ended. */
  readonly close?: SaidClose;
}

/** Who has ended a raw conversation first; `open`: nobody had when the recording ended. */
export type TcpEnd = Side | "open";

/**
 * A raw conversation as it is written.
 *
 * @internal
 */
export interface TcpParts {
  readonly hostname: string;
  readonly port: number;
  readonly messages: readonly Said[];
  readonly end: TcpEnd;
  readonly failure: FlowError | undefined;
  readonly timings: Timings | undefined;
  readonly comment: string | undefined;
}

/**
 * What the server got and what it sent: what addons have made of a client's messages they will make of them again before the tape hears
 * them, and what they have made of the server's after it has said them.
 */
export function conversationOf(websocket: WebSocketConversation): ConversationParts {
  const { closeCode: code, closeReason: reason = "", closedBy: by } = websocket;
  const messages = websocket.messages
    .filter(({ from, injected, dropped }) => from === "client" ? !dropped : !injected)
    .map(({ from, type, data, original, time }): Said => ({
      from,
      text: type === "text",
      data: from === "client" ? data : original,
      time,
    }));
  const closed = code !== undefined && (by === "server" || by === "client" && code !== 1006);
  return { messages, ...(closed && { close: { code, reason, by } }) };
}

/** The same of raw bytes. */
export function tcpPartsOf(flow: TcpFlow): TcpParts {
  const { hostname, port, error, timings, comment } = flow;
  const failure = error?.code.startsWith("UPSTREAM_") ? error : undefined;
  return {
    hostname,
    port,
    messages: flow.messages
      .map(({ from, data, original, time }): Said => {
        return { from, text: false, data: from === "client" ? data : original, time };
      })
      .filter(({ data }) => data.length > 0),
    end: error === undefined ? flow.endedBy ?? "client" : "open",
    failure,
    timings,
    comment,
  };
}

/** Bytes that came from one side in one go, one behind the other: where the network has cut them says nothing. */
export function joinTurns(messages: readonly Said[]): Said[] {
  const turns: { said: Said; pieces: Uint8Array[] }[] = [];
  for (const said of messages) {
    const last = turns.at(-1);
    if (last?.said.from === said.from) last.pieces.push(said.data);
    else turns.push({ said, pieces: [said.data] });
  }
  return turns.map(({ said, pieces }) => pieces.length === 1 ? said : { ...said, data: Buffer.concat(pieces) });
}
