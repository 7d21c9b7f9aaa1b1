/**
 * The story that every sample in `fixtures/import` tells: which requests were sent, and what the server answered.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";

export interface Step {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  status: number;
  reason: string;
  type: string | null;
  answer: Uint8Array;
  cookies: string[];
  location: string | null;
}

const ORIGIN = "http://127.0.0.1:8123";
const large = Array.from({ length: 200 }, (_, i) => `line ${i} of a long text\n`).join("");
const octets = Uint8Array.from({ length: 256 }, (_, i) => i);

export const STORY: readonly Step[] = [
  step("GET /text", { type: "text/plain; charset=utf-8", answer: "Grüße, 世界" }),
  step("GET /bytes", { type: "application/octet-stream", answer: octets }),
  step("GET /gzip", { type: "application/json", answer: '{"coded":true}' }),
  step("GET /large", { type: "text/plain", answer: large }),
  step("GET /old", { status: 302, reason: "Found", location: "/text" }),
  step("GET /count", { type: "text/plain", answer: "1" }),
  step("GET /count", { type: "text/plain", answer: "2" }),
  step("GET /search?q=a+b&n=2", { type: "application/json", answer: '{"found":["a b"]}' }),
  step("GET /missing", { status: 404, reason: "Not Found", type: "text/plain", answer: "not here" }),
  step("GET /cookies", { type: "text/plain", answer: "two", cookies: ["a=1; Path=/", "b=2; Path=/"] }),
  step("POST /orders", {
    headers: { "content-type": "application/json" },
    body: '{"qty":2}',
    status: 201,
    reason: "Created",
    type: "application/json",
    answer: '{"ordered":2}',
  }),
  step("POST /form", {
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "name=Ann+Lee&x=%26",
    type: "text/plain",
    answer: "hello Ann Lee",
  }),
  step("DELETE /orders/7", { status: 204, reason: "No Content" }),
];

/** A sample in `fixtures/import`. */
export function sample(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/import/${name}`, import.meta.url));
}

function step(line: string, it: Partial<Omit<Step, "answer">> & { answer?: string | Uint8Array } = {}): Step {
  const [method, path] = line.split(" ") as [string, string];
  const { answer = "", ...rest } = it;
  return {
    method,
    url: ORIGIN + path,
    headers: {},
    body: "",
    status: 200,
    reason: "OK",
    type: null,
    cookies: [],
    location: null,
    ...rest,
    answer: typeof answer === "string" ? Buffer.from(answer) : answer,
  };
}
