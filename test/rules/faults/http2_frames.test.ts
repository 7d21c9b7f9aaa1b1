/**
 * The table "HTTP/2" of docs/faults.md, frame by frame.
 */
import { expect, test } from "vitest";
import { fault, type FaultKind, type FaultOptions, type HttpFlow, respond, startProxy } from "../../../src/mod.ts";
import { DATA, END_STREAM, GOAWAY, HEADERS, RawPeer, RST_STREAM } from "../../wire/http2/raw_peer.ts";

const NAMES: Readonly<Record<number, string>> = { [DATA]: "DATA", [HEADERS]: "HEADERS" };
const CODES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", , , , , "REFUSED_STREAM", "CANCEL"];

/** What comes on stream 1 and for the connection: `HEADERS 200`, `DATA 50 END`, `RST_STREAM CANCEL`, `GOAWAY`, `end`, `reset`, `garbage`. */
async function read(peer: RawPeer): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const frame = await peer.next().catch(() => undefined);
    if (frame === undefined) break;
    const { type, flags, stream, payload } = frame;
    if (type === GOAWAY) seen.push(`GOAWAY ${CODES[payload.readUInt32BE(4)]}`);
    if (stream !== 1) continue;
    if (type === RST_STREAM) return [...seen, `RST_STREAM ${CODES[payload.readUInt32BE(0)]}`];
    const end = (flags & END_STREAM) !== 0;
    if (type === HEADERS || payload.length > 0 || end) {
      seen.push(`${NAMES[type]} ${type === HEADERS ? frame.fields![1] : payload.length}${end ? " END" : ""}`);
    }
    if (end) return seen;
  }
  await peer.connection.closed;
  const code = (peer.connection.error as NodeJS.ErrnoException | undefined)?.code;
  return [...seen, code === "ECONNRESET" ? "reset" : "end"];
}

const then = respond({ body: "x".repeat(100) });

test.each([
  ["reset", {}, ["RST_STREAM INTERNAL_ERROR"]],
  ["reset", { resetCode: 7 }, ["RST_STREAM REFUSED_STREAM"]],
  ["reset", { after: 50, then }, ["HEADERS 200", "DATA 50", "RST_STREAM INTERNAL_ERROR"]],
  ["reset", { scope: "connection" }, ["reset"]],
  ["reset", { scope: "connection", after: 50, then }, ["HEADERS 200", "DATA 50", "reset"]],
  ["empty", {}, ["RST_STREAM INTERNAL_ERROR"]],
  ["empty", { scope: "connection" }, ["GOAWAY NO_ERROR", "end"]],
  ["timeout", { ms: 10 }, ["RST_STREAM INTERNAL_ERROR"]],
  ["timeout", { ms: 10, scope: "connection" }, ["GOAWAY NO_ERROR", "end"]],
  ["limit", { bytes: 50, then }, ["HEADERS 200", "DATA 50", "RST_STREAM INTERNAL_ERROR"]],
  ["limit", { bytes: 50, then, scope: "connection" }, ["HEADERS 200", "DATA 50", "GOAWAY NO_ERROR", "end"]],
  ["truncate", { then }, ["HEADERS 200", "DATA 50", "DATA 0 END"]],
  ["truncate", { then, scope: "connection" }, ["HEADERS 200", "DATA 50", "GOAWAY NO_ERROR", "end"]],
  ["malformed-chunk", { bytes: 30 }, ["HEADERS 200", "DATA 30", "RST_STREAM PROTOCOL_ERROR"]],
  ["random-data", {}, ["RST_STREAM PROTOCOL_ERROR"]],
] as [FaultKind, FaultOptions, string[]][])("%s %j", async (kind, options, frames) => {
  await using proxy = await startProxy({ rules: [["/", fault(kind, options)]] });
  await using client = await RawPeer.client(proxy);
  await client.request(1);
  expect(await read(client)).toEqual(frames);
  const [flow] = await proxy.waitFor({ path: "/" });
  expect((flow as HttpFlow).error?.code).toMatch(/^FAULT_/);
});

test.each(["malformed-chunk", "random-data"] as const)("%s on a connection: bytes that are no frame", async (kind) => {
  await using proxy = await startProxy({ rules: [["/", fault(kind, { scope: "connection", bytes: 500, seed: 1 })]] });
  await using client = await RawPeer.client(proxy);
  await client.request(1);
  await client.connection.readAll();
  const bytes = client.connection.received;
  const twice = await garbageOf(kind);
  expect(Array.from(bytes.subarray(-500))).toEqual(twice);
});

/** The last bytes of another run with the same seed. */
async function garbageOf(kind: FaultKind): Promise<number[]> {
  await using proxy = await startProxy({ rules: [["/", fault(kind, { scope: "connection", bytes: 500, seed: 1 })]] });
  await using client = await RawPeer.client(proxy);
  await client.request(1);
  await client.connection.readAll();
  return Array.from(client.connection.received.subarray(-500));
}
