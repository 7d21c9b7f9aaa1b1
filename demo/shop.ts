/**
 * A small shop: the real HTTPS server that the demo records.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { type Origin, type OriginRequest, type OriginResponse, startOrigin } from "../test/support/origin.ts";

/** Opens the shop on a free port of this machine. */
export function openShop(): Promise<Origin> {
  let orders = 0;
  return startOrigin((request) => {
    switch (`${request.method} ${request.target}`) {
      case "GET /products":
        return compressed(request, [{ id: 1, name: "Tape, 60 minutes" }, { id: 2, name: "Tape, 90 minutes" }]);
      case "POST /orders":
        return json(201, { order: ++orders, lines: JSON.parse(request.text()).lines });
      case "GET /orders/latest":
        return json(200, { order: orders, state: "packed" });
      default:
        return json(404, { error: `there is no ${request.target}` });
    }
  }, { tls: true });
}

function json(status: number, value: unknown): OriginResponse {
  return { status, reason: "", headers: [["Content-Type", "application/json"]], body: JSON.stringify(value) };
}

function compressed(request: OriginRequest, value: unknown): OriginResponse {
  const plain = json(200, value);
  if (!request.header("accept-encoding")?.includes("gzip")) return plain;
  return {
    ...plain,
    headers: [["Content-Type", "application/json"], ["Content-Encoding", "gzip"]],
    body: gzipSync(JSON.stringify(value)),
  };
}
