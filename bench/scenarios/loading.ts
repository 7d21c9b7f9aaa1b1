/** How long a tape of 100,000 entries with the header fields of real traffic takes to load, and what it weighs in memory. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { LoaderMethods, Loading } from "../loader_process.ts";
import { figure, target } from "../result.ts";
import { spawn } from "../rpc.ts";
import type { Scenario } from "./scenario.ts";

const BODY = "x".repeat(256);

export const loading: Scenario = {
  id: "load",
  async run(bench) {
    const entries = bench.quick ? 20_000 : 100_000;
    const path = join(bench.folder, "realistic.har");
    await pipeline(Readable.from(document(entries)), createWriteStream(path));
    const module = new URL("./tape.js", bench.surroundings.flowtape).href;
    const loads: Loading[] = [];
    for (let round = 0; round < Math.min(bench.pace.rounds, 3); round++) {
      const loader = await spawn<LoaderMethods>(new URL("../loader_process.ts", import.meta.url), {
        nodeOptions: ["--expose-gc"],
      });
      try {
        loads.push(await loader.call.load({ module, path, entries }));
      } finally {
        await loader.end();
      }
    }
    const scaled = (values: number[]) => values.map((value) => value * 100_000 / entries);
    const weight = loads.map(({ bytes }) => bytes / entries - BODY.length);
    return {
      title: `Loading a tape of ${entries.toLocaleString("en")} entries, 26 header fields each`,
      lines: [{
        name: "readTape()",
        figures: [
          figure("time", "ms", loads.map(({ ms }) => ms)),
          figure("processor time", "ms", loads.map(({ cpu }) => cpu)),
        ],
      }],
      targets: [
        target(figure("processor time for 100,000 entries", "ms", scaled(loads.map(({ cpu }) => cpu))), {
          atMost: 1000,
        }),
        target(figure("an entry besides its body", "bytes", weight), { atMost: 1024 }),
      ],
      notes: [],
    };
  },
};

function* document(entries: number): Generator<string> {
  yield '{\n  "log": {\n    "version": "1.2",\n    "creator": { "name": "flowtape", "version": "1" },\n    "entries": [';
  for (let i = 0; i < entries; i++) {
    // As a tape is printed.
    const text = JSON.stringify(entry(i), null, 2)
      .replace(/\{\n *("name": ".*"),\n *("value": ".*")\n *\}/g, "{ $1, $2 }")
      .replaceAll("\n", "\n      ");
    yield `${i === 0 ? "" : ","}\n      ${text}`;
  }
  yield "\n    ]\n  }\n}\n";
}

const pairs = (fields: Record<string, string>) => Object.entries(fields).map(([name, value]) => ({ name, value }));

function entry(i: number): unknown {
  return {
    startedDateTime: "1970-01-01T00:00:00.000Z",
    time: 0,
    request: {
      method: "GET",
      url: `https://api.shop.test/v2/products/${i}?currency=EUR&fields=id,name,price`,
      httpVersion: "HTTP/1.1",
      cookies: pairs({ session: "[redacted:session-1]", theme: "[redacted:theme-1]" }),
      headers: pairs({
        "host": "api.shop.test",
        "connection": "keep-alive",
        "user-agent":
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "accept": "application/json, text/plain, */*",
        "accept-language": "en-GB,en;q=0.9",
        "accept-encoding": "gzip, deflate, br, zstd",
        "authorization": "[redacted:authorization-1]",
        "referer": `https://www.shop.test/p/${i}`,
        "sec-fetch-dest": "empty",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-site",
        "cookie": "session=[redacted:session-1]; theme=[redacted:theme-1]",
      }),
      queryString: pairs({ currency: "EUR", fields: "id,name,price" }),
      headersSize: -1,
      bodySize: 0,
    },
    response: {
      status: 200,
      statusText: "OK",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: pairs({
        "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": String(BODY.length),
        "Connection": "keep-alive",
        "Server": "nginx/1.27.2",
        "Cache-Control": "private, max-age=0, must-revalidate",
        "ETag": `W/"${i.toString(16)}-abcdef"`,
        "Vary": "Origin, Accept-Encoding",
        "X-Request-Id": `${(i * 2654435761 >>> 0).toString(16)}-4f1c-4a9e-8d1b-0b5a1c2d3e4f`,
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Access-Control-Allow-Origin": "https://www.shop.test",
        "Content-Security-Policy": "default-src 'self'; img-src *; script-src 'self' https://cdn.shop.test",
      }),
      content: { size: BODY.length, mimeType: "application/json; charset=utf-8", text: BODY },
      redirectURL: "",
      headersSize: -1,
      bodySize: BODY.length,
    },
    cache: {},
    timings: { send: 0, wait: 0, receive: 0 },
  };
}
