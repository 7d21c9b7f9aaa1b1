/**
 * A recorded exchange as a flow.
 *
 * @module
 */
import { HttpFlow } from "../flow/http_flow.ts";
import { nextPeerId } from "../flow/peer.ts";
import type { TapeEntry } from "./entry.ts";

/**
 * A flow that is over, whose source is the tape. It has no times, and nobody knows any more who the client was.
 *
 * @throws {TapeError} a body cannot be read
 */
export async function flowOfEntry(entry: TapeEntry): Promise<HttpFlow> {
  const flow = new HttpFlow(await entry.request(), { id: nextPeerId(), host: "tape", port: 0 });
  flow.response = await entry.response();
  flow.error = entry.failure && { ...entry.failure };
  flow.comment = entry.comment;
  flow.source = "tape";
  flow.done = true;
  return flow;
}
