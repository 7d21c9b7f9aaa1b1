/**
 * A response that reaches its client as its shape wants it.
 *
 * @module
 */
import type { BodyBuffer } from "../../flow/body_buffer.ts";
import type { Shape } from "../../flow/shape.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import { CHUNKED, type Framing, ofLength } from "../http1/head.ts";
import { Shaper } from "./shaper.ts";
import { slownessOf } from "./slowness.ts";

/** Sends the head when it is time, and the body behind it. */
export function shapedResponse(exchange: Exchange, given: ResponseOut, shape: Shape): Shaper {
  const { client, flow, head } = exchange;
  const total = lengthOf(given.framing, flow.response!.content);
  const out = reframed(given, shape, total);
  const slowHead = slownessOf(shape.response, "slow-head");
  const trickles = head.version !== "2";
  const shaper: Shaper = new Shaper(shape.response, {
    open() {
      const bitByBit = trickles && slowHead > 0;
      const sink = client.respond(bitByBit ? { ...out, slowHead } : out);
      shaper.attach(sink, { total, none: out.framing.kind === "none" }, bitByBit ? slowHead : 0);
    },
    drained: (callback) => client.drained(callback),
    fired: ({ description }) => void flow.faults.push(description),
    broken: (stage) => exchange.break(stage),
    guard: (step) => exchange.proceed(step),
    trickles,
  });
  return shaper;
}

/** The length of a body, as far as it is known before it has passed. */
export function lengthOf(framing: Framing, content: BodyBuffer): number | undefined {
  if (framing.kind === "length") return framing.length;
  return content.complete && !content.truncated ? content.size : undefined;
}

// A body that is shorter than its length needs one, and a malformed chunk needs chunks.
function reframed(out: ResponseOut, { framing }: Shape, total: number | undefined): ResponseOut {
  if (framing === undefined || framing === out.framing.kind || out.framing.kind === "none") return out;
  if (framing === "length" && total === undefined) return out;
  const fields = out.fields.replace(/^(?:content-length|transfer-encoding):.*\r\n/gim, "");
  return framing === "length"
    ? { ...out, fields: `${fields}Content-Length: ${total}\r\n`, framing: ofLength(total!) }
    : { ...out, fields: `${fields}Transfer-Encoding: chunked\r\n`, framing: CHUNKED };
}
