/**
 * Bodies and messages: redacted as a whole or as far as it is shown, shortened, and only as long as there is room.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { Message } from "../flow/message.ts";
import { FlowtapeError } from "../flow/error.ts";
import { bytesData, firstBytes, lengthOf } from "./bytes.ts";
import type { Cleaner } from "./clean.ts";
import type { BytesData, FlowData, HttpFlowData, MessageData, SaidData } from "./data.ts";
import { type Budget, MAX_MESSAGES } from "./limits.ts";
import { Turns } from "./turns.ts";

/** What is needed to tell of bodies. */
export interface BodyContext {
  readonly cleaner: Cleaner;
  readonly budget: Budget;
  /** So many bytes of each are shown. */
  readonly most: number;
}

/** The flows with their bodies and messages. */
export async function addBodies(
  flows: readonly (readonly [Flow, FlowData])[],
  context: BodyContext,
): Promise<FlowData[]> {
  const all = flows.map(([, data]) => data);
  const turns = new Turns();
  for (const i of byImportance(all)) {
    await turns.next();
    all[i] = await withBodies(flows[i]![0], all[i]!, context);
  }
  return all;
}

/** Those that went wrong, then the newest. */
function byImportance(flows: readonly FlowData[]): number[] {
  const rank = ({ unmatched, error }: FlowData) => unmatched ? 0 : error ? 1 : 2;
  return flows.map((_, i) => i).sort((a, b) => rank(flows[a]!) - rank(flows[b]!) || b - a);
}

async function withBodies(flow: Flow, data: FlowData, context: BodyContext): Promise<FlowData> {
  if (data.type === "tcp" || flow.type === "tcp") {
    return flow.type === "tcp" ? { ...data, ...await saidOf(flow.messages, data.omitted, context) } : data;
  }
  return {
    ...data,
    request: await withBody(flow.request, data.request, context),
    ...(data.response && flow.response && { response: await withBody(flow.response, data.response, context) }),
    ...(data.original && flow.original && { original: await withBody(flow.original, data.original, context) }),
    ...(flow.websocket && await saidOf(flow.websocket.messages, data.omitted, context)),
  } satisfies HttpFlowData;
}

async function withBody<T extends MessageData>(message: Message, data: T, context: BodyContext): Promise<T> {
  const { content } = message;
  const [bytes, encoded] = bytesOf(message);
  if (bytes.length === 0) {
    return content.truncated
      ? { ...data, body: { of: content.size, note: "It was not kept (capture.maxBody)." } }
      : data;
  }
  const type = encoded ? "application/octet-stream" : message.headers.get("content-type");
  const total = content.truncated ? Math.max(content.size, bytes.length) : bytes.length;
  return { ...data, body: await shown(bytes, type, total, context), ...(encoded && { encoded: true }) };
}

/** Decoded where that is possible. */
function bytesOf(message: Message): readonly [bytes: Uint8Array, encoded: boolean] {
  const kept = message.content.bytes();
  if (!message.headers.has("content-encoding") || kept.length === 0) return [kept, false];
  // Half of what is coded cannot be decoded.
  if (!message.content.complete || message.content.truncated) return [kept, true];
  try {
    return [message.body, false];
  } catch (error) {
    if (!(error instanceof FlowtapeError)) throw error;
    return [kept, true];
  }
}

/** A secret that is cut through is not known as one: so much before a cut is not shown. */
const MARGIN = 16 * 1024;

async function shown(
  bytes: Uint8Array,
  type: string | null,
  total: number,
  { cleaner, budget, most }: BodyContext,
): Promise<BytesData> {
  if (budget.left === 0) {
    budget.cut++;
    return { of: total, note: "It is left out: the report would become too large." };
  }
  const room = Math.min(most, budget.left);
  const isCut = bytes.length > room + 2 * MARGIN;
  const start = isCut ? bytes.subarray(0, room + 2 * MARGIN) : bytes;
  const clean = await cleaner.body(start, type);
  if (clean === undefined) {
    return {
      of: total,
      note: "It is left out: it holds what looks like a secret. redact: { allow: [...] } says what is none.",
    };
  }
  const first = firstBytes(isCut ? clean.subarray(0, Math.max(0, clean.length - MARGIN)) : clean, room);
  const data = bytesData(first);
  const isShort = isCut || first.length < clean.length;
  if (isShort) budget.cut++;
  const whole = { ...data, ...((isShort || total > bytes.length) && { of: total }) };
  budget.take(lengthOf(whole));
  return whole;
}

/** What was said, of WebSockets and raw conversations. */
interface Said {
  readonly from: "client" | "server";
  readonly time: number;
  readonly size: number;
  readonly data: Uint8Array;
  readonly type?: "text" | "binary";
  readonly edited: boolean;
  readonly dropped: boolean;
  readonly injected?: boolean;
}

async function saidOf(
  said: readonly Said[],
  omitted = 0,
  context: BodyContext,
): Promise<{ messages: SaidData[]; omitted?: number }> {
  const messages: SaidData[] = [];
  for (const message of said) {
    if (messages.length === MAX_MESSAGES) break;
    messages.push(await saidData(message, context));
  }
  const more = omitted + said.length - messages.length;
  return { messages, ...(more > 0 && { omitted: more }) };
}

async function saidData(message: Said, context: BodyContext): Promise<SaidData> {
  const { from, time, size, data, edited, dropped, injected } = message;
  const state = dropped ? "dropped" : injected ? "injected" : edited ? "edited" : undefined;
  const type = message.type ?? "binary";
  const content = type === "text" ? null : "application/octet-stream";
  return {
    from,
    type,
    time: Math.round(time * 100) / 100,
    size,
    ...(state && { state }),
    ...(data.length > 0 && await shown(data, content, Math.max(size, data.length), context)),
  };
}
