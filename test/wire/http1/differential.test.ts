/**
 * Whatever our parser accepts, Node's own parser (llhttp) must read the same or refuse: two parsers that read one message differently
 * are what request smuggling is made of.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import * as http from "node:http";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { mutate, REQUESTS, RESPONSES } from "./mutation.ts";
import { feed, type Message, randomFrom, type Reading } from "./support.ts";

/** The node:http of Deno and Bun has another parser and accepts other things: comparing with it would say nothing about ours. */
const IS_NODE = !("Deno" in globalThis) && !("Bun" in globalThis);
const ROUNDS = 2500;
/** It takes half a second; a busy machine may take its time. */
const PATIENCE = 30_000;

interface Seen {
  start: string;
  fields: string[];
  body: string;
  trailers: string[];
}

describe.skipIf(!IS_NODE)("what we accept, Node reads the same or refuses", () => {
  test("requests", async () => {
    const random = randomFrom(3);
    let compared = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const input = mutate(REQUESTS, random);
      const ours = feed("request", [Buffer.from(input, "latin1")]);
      const node = await readByServer(input);
      compared += compare(input, ours, node);
    }
    // Most of what is accepted is compared: the test is not empty.
    expect(compared).toBeGreaterThan(ROUNDS / 2);
  }, PATIENCE);

  test("responses", async () => {
    const random = randomFrom(4);
    let compared = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const input = mutate(RESPONSES, random);
      const method = random() < 0.15 ? "HEAD" : "GET";
      const ours = feed("response", [Buffer.from(input, "latin1")], { asks: [method], closes: true });
      const node = await readByClient(input, method);
      // A client reads one final response; what comes after it, Node throws away.
      const final = ours.messages.findIndex(({ head }) => head.kind === "response" && head.status >= 200);
      const messages = ours.messages.filter(({ head }, index) => index === final && head.kind === "response");
      compared += compare(input, { ...ours, messages }, node);
    }
    expect(compared).toBeGreaterThan(ROUNDS / 4);
  }, PATIENCE);
});

interface NodeReading {
  seen: Seen[];
  refused: boolean;
}

/** Compares message by message; returns how many were compared. */
function compare(input: string, ours: Reading, node: NodeReading): number {
  const accepted = ours.messages.filter((message) => message.trailers !== undefined).map(describeMessage);
  const both = Math.min(accepted.length, node.seen.length);
  const told = (list: Seen[]) => ({ input, messages: list });
  expect(told(accepted.slice(0, both))).toEqual(told(node.seen.slice(0, both)));
  // More on our side: only what Node refused. More on Node's side: only what we refused.
  if (accepted.length > both && !node.refused) expect(told(accepted)).toEqual(told(node.seen));
  if (node.seen.length > both && ours.error === undefined) expect(told(accepted)).toEqual(told(node.seen));
  return both;
}

function describeMessage({ head, body, trailers }: Message): Seen {
  const start = head.kind === "request"
    ? `${head.method} ${head.target} ${head.version}`
    : `${head.status} ${head.reason} ${head.version}`;
  return { start, fields: pairs(head.fields), body, trailers: pairs(trailers ?? "") };
}

function pairs(fields: string): string[] {
  return fields.split("\r\n").filter(Boolean).flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
}

/** A connection in memory: what one side writes is thrown away, and it reads the input, then the end. */
function connection(input: string): Duplex {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), autoDestroy: false });
  stream.push(Buffer.from(input, "latin1"));
  stream.push(null);
  return stream;
}

async function readByServer(input: string): Promise<NodeReading> {
  const reading: NodeReading = { seen: [], refused: false };
  const server = http.createServer({ requireHostHeader: false, keepAlive: true });
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => {
    gather(request, `${request.method} ${request.url} ${request.httpVersion}`, (seen) => reading.seen.push(seen));
    request.on("end", () => response.end());
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, onRequest);
  server.on("clientError", () => reading.refused = true);
  const stream = connection(input);
  server.emit("connection", stream);
  await settled(reading);
  stream.destroy();
  return reading;
}

async function readByClient(input: string, method: string): Promise<NodeReading> {
  const reading: NodeReading = { seen: [], refused: false };
  const request = http.request({ method, createConnection: () => connection(input) as never });
  request.on("response", (response) => {
    response.on("error", () => reading.refused = true);
    gather(
      response,
      `${response.statusCode} ${response.statusMessage} ${response.httpVersion}`,
      (seen) => reading.seen.push(seen),
    );
  });
  request.on("upgrade", () => reading.refused = true);
  request.on("error", () => reading.refused = true);
  request.end();
  await settled(reading);
  request.destroy();
  return reading;
}

function gather(message: http.IncomingMessage, start: string, done: (seen: Seen) => void): void {
  let body = "";
  message.on("data", (piece: Buffer) => body += piece.toString("latin1"));
  message.on("end", () => {
    if (message.complete) done({ start, fields: message.rawHeaders, body, trailers: message.rawTrailers });
  });
  message.on("error", () => {});
}

/** All is in memory, so all that will happen happens within a few turns of the event loop. */
async function settled(reading: NodeReading): Promise<void> {
  let last = -1;
  for (let quiet = 0; quiet < 6;) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = reading.seen.length === last ? quiet + 1 : 0;
    last = reading.seen.length;
  }
}
