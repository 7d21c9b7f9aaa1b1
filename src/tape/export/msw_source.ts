/**
 * A tape as the source code of MSW handlers.
 *
 * @module
 */
import { isJson } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { TapeEntry } from "../entry.ts";
import { bodyToText } from "../media.ts";
import type { RedactOptions } from "../options.ts";
import { decodePlaceholders, PLACEHOLDER } from "../redact/placeholders.ts";
import { toBase64 } from "../streams/text_or_base64.ts";
import { readTape, writeTape } from "../tape.ts";
import { MemoryStore } from "./memory_store.ts";

/** How handlers are written. */
export interface MswSourceOptions {
  /** As in the options of a tape. */
  redact?: false | RedactOptions;
}

/**
 * Source code of MSW handlers that answer as the tape does, to be committed and edited: a module whose `handlers` go to `setupServer()` or
 * `setupWorker()`. One handler for each method and URL; where there are several exchanges for one, query and body tell them apart, and
 * identical ones are answered in order, the last one from then on. WebSockets and raw conversations are named in a comment only.
 *
 * The code is JavaScript and TypeScript, for MSW 2 and 3. For handlers at once, without code: {@linkcode toMswHandlers}.
 *
 * @example
 * ```ts
 * import { readTape, toMswSource } from "flowtape/tape";
 * import { writeFile } from "node:fs/promises";
 *
 * async function generate(path: string) {
 *   await writeFile("test/handlers.ts", await toMswSource(await readTape(path)));
 * }
 * ```
 *
 * @throws {TapeError} a body cannot be read; `TAPE_HOLDS_SECRET`: the code would hold what looks like a secret
 */
export async function toMswSource(entries: Iterable<TapeEntry>, options: MswSourceOptions = {}): Promise<string> {
  const store = new MemoryStore();
  await writeTape(HANDLERS, entries, { redact: options.redact, store });
  const groups = new Map<string, Exchange[]>();
  const left: string[] = [];
  for (const entry of (await readTape(HANDLERS, { store })).entries) {
    if (entry.kind !== "http" || entry.status === 101 || !METHODS.has(entry.method.toLowerCase())) {
      left.push(
        `// Not here: entry ${entry.index}, ${entry.kind === "http" ? entry : `${NAMES[entry.kind]} ${entry.url}`}`,
      );
      continue;
    }
    const exchange = await exchangeOf(entry);
    const key = `${exchange.method} ${exchange.path}`;
    groups.set(key, [...groups.get(key) ?? [], exchange]);
  }
  const handlers = [...groups.values()].map(printHandler);
  const turns = handlers.flatMap((it) => it.turns);
  return [
    'import { http, HttpResponse } from "msw";',
    "",
    // In one line each, whatever stands in a URL.
    ...(left.length === 0 ? [] : [...left.map((line) => line.replace(/[\r\n\u2028\u2029]/g, " ")), ""]),
    // Of requests that came more than once.
    ...(turns.length === 0 ? [] : [...turns.map((turn) => `let ${turn} = 0;`), ""]),
    `export const handlers = [${handlers.map(({ code }) => `\n${indent(code)},`).join("")}${
      handlers.length === 0 ? "" : "\n"
    }];`,
    "",
  ].join("\n");
}

interface Exchange {
  readonly method: string;
  /** The URL without its query. */
  readonly path: string;
  readonly query: string;
  /** The names of parameters that are secret. */
  readonly secret: readonly string[];
  /** What its body is compared with, as code; `undefined` when it has none. */
  readonly body: Body | undefined;
  /** The answer, as code. */
  readonly answer: string;
}

interface Body {
  readonly read: "json" | "text" | "bytes";
  readonly code: string;
}

const NAMES = { websocket: "the WebSocket", tcp: "the raw conversation" } as const;

const METHODS: ReadonlySet<string> = new Set(["get", "head", "post", "put", "patch", "delete", "options"]);

/** What errors call it. */
const HANDLERS = "the handlers";

async function exchangeOf(entry: TapeEntry): Promise<Exchange> {
  const { url } = entry;
  const mark = url.indexOf("?");
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  query.sort();
  // Whatever the client sends there.
  const secret = [...query].filter(([, value]) => hasSecret(value)).map(([name]) => name);
  for (const name of secret) query.delete(name);
  return {
    method: entry.method.toLowerCase(),
    path: mark < 0 ? url : url.slice(0, mark),
    query: query.toString(),
    secret,
    body: bodyOf(await entry.request()),
    answer: answerOf(await entry.response(), entry.failure !== undefined),
  };
}

function bodyOf({ body, headers }: FlowRequest): Body | undefined {
  const type = headers.get("content-type");
  const text = bodyToText(body, type);
  if (body.length === 0 || hasSecret(text ?? "")) return undefined;
  if (text === undefined) return { read: "bytes", code: JSON.stringify(toBase64(body)) };
  const json = isJson(type) ? jsonOf(text) : undefined;
  return json === undefined
    ? { read: "text", code: JSON.stringify(text) }
    : { read: "json", code: JSON.stringify(JSON.stringify(sorted(json))) };
}

function hasSecret(text: string): boolean {
  return text.search(PLACEHOLDER) >= 0 || decodePlaceholders(text).search(PLACEHOLDER) >= 0;
}

function answerOf(response: FlowResponse | undefined, failed: boolean): string {
  if (response === undefined || failed) return "HttpResponse.error()";
  const { status, reason, headers } = response;
  const type = headers.get("content-type");
  const { body } = response;
  const text = bodyToText(body, type);
  const json = text !== undefined && type === "application/json" ? exactJson(text) : undefined;
  const fields = [...headers]
    .filter(([name]) => !LEFT_OUT.has(name.toLowerCase()) && !(json !== undefined && /^content-type$/i.test(name)));
  const init = [
    ...(status === 200 ? [] : [`status: ${status}`]),
    ...(reason === "" || /^(?:OK|)$/.test(reason) && status === 200 ? [] : [`statusText: ${JSON.stringify(reason)}`]),
    ...(fields.length === 0 ? [] : [
      `headers: [\n${fields.map((field) => `  [${field.map((it) => JSON.stringify(it)).join(", ")}],\n`).join("")}]`,
    ]),
  ];
  const options = init.length === 0
    ? ""
    : init.some((it) => it.includes("\n"))
    ? `, {\n${init.map((it) => `${indent(it)},\n`).join("")}}`
    : `, { ${init.join(", ")} }`;
  if (json !== undefined) return `HttpResponse.json(${printJson(json)}${options})`;
  const empty = body.length === 0 || [204, 205, 304].includes(status);
  const code = empty
    ? "null"
    : text === undefined
    ? `Uint8Array.from(atob(${JSON.stringify(toBase64(body))}), (it) => it.charCodeAt(0))`
    : JSON.stringify(text);
  return `new HttpResponse(${code}${options})`;
}

/** What belongs to the connection, or to the bytes as they were. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
]);

function printHandler(exchanges: readonly Exchange[], number: number): { turns: string[]; code: string } {
  const [{ method, path }] = exchanges as [Exchange];
  const cases = [...Map.groupBy(exchanges, ({ query, body }) => JSON.stringify([query, body])).values()];
  // A case without a body is for every body: what tells more goes first.
  cases.sort((a, b) => Number(b[0]!.body !== undefined) - Number(a[0]!.body !== undefined));
  const reads = new Set(cases.flatMap(([it]) => it!.body === undefined ? [] : [it!.body.read]));
  const queries = cases.some(([it]) => it!.query !== "");
  const turns: string[] = [];
  const lines = [
    ...(queries
      ? [
        "const query = new URL(request.url).searchParams;",
        "query.sort();",
        ...new Set(exchanges.flatMap(({ secret }) => secret.map((name) => `query.delete(${JSON.stringify(name)});`))),
      ]
      : []),
    ...[...reads].map((read) => READ[read]),
    ...cases.map((all) => {
      const answers = new Set(all.map(({ answer }) => answer));
      const same = answers.size === 1 ? all.slice(0, 1) : all;
      const { query, body } = same[0]!;
      const tests = [
        ...(queries ? [`query.toString() === ${JSON.stringify(query)}`] : []),
        ...(body === undefined ? [] : [`${body.read} === ${body.code}`]),
      ];
      const turn = `turn${number}${cases.length === 1 ? "" : `_${turns.length}`}`;
      if (same.length > 1) turns.push(turn);
      const answer = same.length === 1 ? `return ${same[0]!.answer};` : printSwitch(same, turn);
      return tests.length === 0 ? answer : `if (${tests.join(" && ")}) {\n${indent(answer)}\n}`;
    }),
  ];
  const head = `http.${method}(${printPath(path)}, `;
  const simple = lines.length === 1 && lines[0]!.startsWith("return ");
  if (simple) return { turns, code: `${head}() => ${lines[0]!.slice("return ".length, -1)})` };
  const asks = queries || reads.size > 0;
  const argument = asks ? "({ request })" : "()";
  return { turns, code: `${head}${reads.size > 0 ? "async " : ""}${argument} => {\n${indent(lines.join("\n"))}\n})` };
}

function printSwitch(same: readonly Exchange[], turn: string): string {
  const cases = same.map(({ answer }, i) =>
    `${i === same.length - 1 ? "default" : `case ${i}`}:\n  return ${indent(answer).trimStart()};\n`
  );
  return `switch (${turn}++) {\n${indent(cases.join(""))}}`;
}

const READ: Readonly<Record<Body["read"], string>> = {
  json: `const json = await request.clone().json().then(
  (it) => JSON.stringify(it, (_, value) => value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value),
  () => undefined,
);`,
  text: "const text = await request.clone().text();",
  bytes:
    'const bytes = btoa(Array.from(new Uint8Array(await request.clone().arrayBuffer()), (it) => String.fromCharCode(it)).join(""));',
};

/** MSW reads :name, * and more of a path in its own way: such paths are regular expressions. */
function printPath(path: string): string {
  const plain = decodePlaceholders(path);
  const rest = plain.replace(/^[a-z]+:\/\/[^/]*/i, "");
  if (!/[:*(){}?+\\[\]]/.test(rest)) return JSON.stringify(path);
  const parts = plain.split(PLACEHOLDER).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return `/^${parts.join("[^/?]*")}(?:\\?.*)?$/`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON that says nothing else when it is written again: no number beyond the precision of a double, no name that stands twice. */
function exactJson(text: string): unknown {
  const json = jsonOf(text);
  return json !== undefined && [0, 2, 4].some((space) => JSON.stringify(json, null, space) === text.trimEnd())
    ? json
    : undefined;
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(Object.entries(value).sort().map(([name, it]) => [name, sorted(it)]));
}

/** As code: `__proto__` would not be a member of an object literal. */
function printJson(json: unknown): string {
  const text = JSON.stringify(json, null, 2);
  return text.includes('"__proto__"')
    ? `JSON.parse(${JSON.stringify(JSON.stringify(json))})`
    : text.length < 80
    ? JSON.stringify(json)
    : text;
}

function indent(code: string): string {
  return code.replace(/^(?=.)/gm, "  ");
}
