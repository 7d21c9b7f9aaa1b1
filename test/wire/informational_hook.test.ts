// The hook informational: what servers say before they answer (1xx).
import { beforeEach, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, type Proxy, startProxy } from "../../src/mod.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { type RawServer, startRawServer } from "../support/raw_server.ts";

const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n";
const FINAL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let seen: string[];
let watcher: Addon;

beforeEach(() => {
  seen = [];
  watcher = {
    informational: (flow) => {
      const { status, reason, headers } = flow.informational.at(-1)!;
      seen.push(`${status} ${reason} ${headers.getAll("link").join(" ")}`);
    },
    responseHeaders: (flow) => void seen.push(`final ${flow.response!.status}`),
  };
});

function saying(...parts: string[]): Promise<RawServer> {
  return startRawServer(async (connection) => {
    await connection.readHead();
    for (const part of parts) await connection.write(part);
  });
}

function visit(proxy: Proxy, server: RawServer, version = "1.1"): Promise<string> {
  const url = `http://127.0.0.1:${server.port}/`;
  return rawRequest(proxy.port, `GET ${url} HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
}

describe("informational", () => {
  test("B11 fires for each one, in order, before the final response", async () => {
    await using server = await saying("HTTP/1.1 102 Processing\r\n\r\n", HINTS, FINAL);
    await using proxy = await startProxy({ addons: [watcher] });
    const answer = await visit(proxy, server);
    expect(seen).toEqual([
      "102 Processing ",
      "103 Early Hints </a.css>; rel=preload </b.js>; rel=preload",
      "final 200",
    ]);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(["HTTP/1.1 102", "HTTP/1.1 103", "HTTP/1.1 200"]);
    expect((proxy.flows.first() as HttpFlow).informational.map(({ status }) => status)).toEqual([102, 103]);
  });

  test("is waited for, and the order kept, also when all comes at once", async () => {
    await using server = await saying(HINTS + HINTS + FINAL);
    await using proxy = await startProxy({
      addons: [watcher, { informational: () => new Promise((resolve) => setTimeout(resolve, 20)) }],
    });
    const answer = await visit(proxy, server);
    expect(answer).toBe(HINTS + HINTS + FINAL.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    expect(seen.at(-1)).toBe("final 200");
  });

  test("needs no hook for the flow to show them", async () => {
    await using server = await saying(HINTS + FINAL);
    await using proxy = await startProxy();
    await visit(proxy, server);
    const [hint] = (proxy.flows.first() as HttpFlow).informational;
    expect([hint!.status, hint!.reason, hint!.headers.getAll("Link")]).toEqual([
      103,
      "Early Hints",
      ["</a.css>; rel=preload", "</b.js>; rel=preload"],
    ]);
  });

  test("fires for HTTP/1.0 clients, which are not told", async () => {
    await using server = await saying(HINTS + FINAL);
    await using proxy = await startProxy({ addons: [watcher] });
    expect(await visit(proxy, server, "1.0")).not.toContain("103");
    expect(seen).toHaveLength(2);
  });

  test("fires for 100 Continue, which then goes to the client", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 100 Continue\r\n\r\n");
      await connection.readBytes(4);
      await connection.write(FINAL);
    });
    await using proxy = await startProxy({ addons: [watcher] });
    await using client = await connectRaw(proxy.port);
    await client.write(
      `PUT http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 100 /);
    await client.write("body");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toEqual(["100 Continue ", "final 200"]);
  });

  test("that kills the flow cuts the connection", async () => {
    await using server = await saying(HINTS + FINAL);
    await using proxy = await startProxy({ addons: [{ informational: (flow) => flow.kill() }] });
    await expect(visit(proxy, server)).rejects.toThrow();
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "KILLED" });
  });

  test("that sets flow.error, or throws, ends the flow", async () => {
    await using server = await saying(HINTS + FINAL);
    const proxy = await startProxy({
      addons: [{
        name: "picky",
        informational: (flow) => {
          if (flow.request.path === "/throw") throw new Error("no hints");
          flow.error = { code: "NO_HINTS", message: "no hints" };
        },
      }],
    });
    expect(await visit(proxy, server)).toMatch(/^HTTP\/1\.1 502 [^]*NO_HINTS/);
    const url = `http://127.0.0.1:${server.port}/throw`;
    expect(await rawRequest(proxy.port, `GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 502 [^]*hook informational of addon \\?"picky/,
    );
    await expect(proxy.close()).rejects.toThrow(/hook informational/);
  });

  test("of very many the newest are kept", async () => {
    const many = Array.from({ length: 250 }, (_, i) => `HTTP/1.1 103 Hint ${i}\r\n\r\n`).join("");
    await using server = await saying(many + FINAL);
    await using proxy = await startProxy();
    expect(await visit(proxy, server)).toMatch(/ok$/);
    const { informational } = proxy.flows.first() as HttpFlow;
    expect([informational.length, informational.at(-1)!.reason]).toEqual([100, "Hint 249"]);
  });
});
