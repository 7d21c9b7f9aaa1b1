// What a person sees who watches a test run: on the standard error stream, and never a credential.
import { describe, expect, test } from "vitest";
import process from "node:process";
import { respond, startProxy, tcp } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";
import { echoServer } from "../wire/tcp/support.ts";
import { openTunnel } from "../wire/tunnel.ts";

/** Everything that is a secret in the requests and responses below. */
const SECRETS = ["s3cret", "hunter2", "c00kie", "t0ken", "k3y", "dXNlcjpodW50ZXIy"];

/** What is written to the standard error stream while work runs. */
async function stderrOf(work: () => Promise<void>): Promise<string> {
  const write = process.stderr.write;
  let text = "";
  process.stderr.write = ((chunk: string | Uint8Array) => {
    text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
    return true;
  }) as typeof write;
  try {
    await work();
  } finally {
    process.stderr.write = write;
  }
  return text;
}

async function traffic(verbose: 0 | 1 | 2 | 3): Promise<string> {
  await using origin = await startOrigin(() => ({
    status: 201,
    reason: "Made",
    headers: [["Content-Type", "application/json"], ["Set-Cookie", "sid=c00kie"], ["X-Seen", "response"], [
      "X-Api-Key",
      "k3y",
    ]],
    body: '{"access_token":"t0ken","name":"answer"}',
  }));
  let url = "";
  const text = await stderrOf(async () => {
    await using proxy = await startProxy({ verbose });
    url = origin.url;
    const body = '{"password":"hunter2","qty":2}';
    await rawRequest(
      proxy.port,
      `POST ${url}/orders?id=7&token=s3cret HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dXNlcjpodW50ZXIy\r\nCookie: a=c00kie\r\n` +
        `X-Seen: request\r\nReferer: http://b.test/?access_token=t0ken\r\nProxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n` +
        `Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await rawRequest(proxy.port, "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await proxy.waitFor({ port: 1 });
  });
  return text.replaceAll(url, "ORIGIN").replace(/\d+ ms\)/g, "N ms)");
}

describe("verbose", () => {
  test("0 says nothing", async () => {
    expect(await traffic(0)).toBe("");
  });

  test("1 is a line for each flow", async () => {
    expect(await traffic(1)).toBe(
      "POST ORIGIN/orders?id=7&token=[redacted] -> 201 Made (upstream, N ms)\n" +
        "GET http://127.0.0.1:1/ -> UPSTREAM_REFUSED (upstream, N ms)\n",
    );
  });

  test("2 shows requests in full", async () => {
    const text = await traffic(2);
    expect(text).toContain("  X-Seen: request\n");
    expect(text).toContain('"qty":2');
    expect(text).toContain("  Authorization: [redacted]\n");
    expect(text).not.toContain("X-Seen: response");
  });

  test("3 shows responses too", async () => {
    const text = await traffic(3);
    expect(text).toContain("  X-Seen: response\n");
    expect(text).toContain('"name":"answer"');
    expect(text).toContain("  Set-Cookie: [redacted]\n");
  });

  test.each([1, 2, 3] as const)("%i prints no credential", async (level) => {
    const text = await traffic(level);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  });

  test("shows long texts and what is no text in short", async () => {
    const text = await stderrOf(async () => {
      await using proxy = await startProxy({
        verbose: 3,
        rules: [
          ["/long", respond({ body: "x".repeat(100_000), headers: { "content-type": "text/plain" } })],
          ["/image", respond({ body: new Uint8Array(5000), headers: { "content-type": "image/png" } })],
          [
            "/bad",
            respond({ body: "not gzip", headers: { "content-type": "text/plain", "content-encoding": "gzip" } }),
          ],
        ],
      });
      for (const path of ["/long", "/image", "/bad"]) {
        await rawRequest(proxy.port, `GET http://a.test${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      }
    });
    expect(text.length).toBeLessThan(4000);
    expect(text).toContain("97952 more characters");
    expect(text).toContain("(5000 bytes)");
    expect(text).toContain("(8 bytes that cannot be decoded)");
  });

  test("a body of 2 KB is whole, a longer one is cut, on both sides, and what is no text is its size", async () => {
    const text = await stderrOf(async () => {
      await using proxy = await startProxy({
        verbose: 3,
        defaultAction: respond((flow) => ({
          body: flow.request.body,
          headers: { "content-type": flow.request.headers.get("content-type")! },
        })),
      });
      const send = (path: string, type: string, body: string) =>
        rawRequest(
          proxy.port,
          `POST http://a.test${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nConnection: close\r\n` +
            `Content-Length: ${body.length}\r\n\r\n${body}`,
        );
      await send("/exact", "text/plain", "e".repeat(2048));
      await send("/over", "text/plain", "o".repeat(2049));
      await send("/binary", "application/octet-stream", "b".repeat(20));
    });
    const [exact = "", over = "", binary = ""] = text.split(/^(?=POST )/m);
    expect(exact.match(/^ {2}e{2048}$/gm)?.length).toBe(2);
    expect(over.match(/^ {2}o{2048}… \(1 more characters\)$/gm)?.length).toBe(2);
    expect(binary.match(/^ {2}\(20 bytes\)$/gm)?.length).toBe(2);
    expect(binary).not.toContain("bbb");
  });

  test("2 does not show bodies of responses, 1 shows none at all", async () => {
    expect(await traffic(2)).not.toContain('"name":"answer"');
    expect(await traffic(1)).not.toContain("qty");
  });

  test("what alerters find is shown from 1 on, without credentials", async () => {
    const shown = async (verbose: 0 | 1) =>
      await stderrOf(async () => {
        await using proxy = await startProxy({
          verbose,
          alerter: () => ["found token=s3cret"],
          defaultAction: respond({ status: 204 }),
        });
        await rawRequest(proxy.port, "GET http://a.test/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      });
    expect(await shown(0)).toBe("");
    expect(await shown(1)).toMatch(/^GET http:\/\/a\.test\/ -> 204 No Content .*\n {2}! found token=\[redacted\]\n$/);
  });

  test("prints the log", async () => {
    const text = await stderrOf(async () => {
      await using proxy = await startProxy({ verbose: 1 });
      await rawRequest(proxy.port, "\x16\x03\x01\x00\x05hello").catch(() => {});
    });
    expect(text).toMatch(
      /^\[flowtape\] warn: closed the connection of 127\.0\.0\.1:\d+: The client does not speak TLS/,
    );
  });
});

test("a raw conversation is a line too", async () => {
  await using echo = await echoServer();
  const text = await stderrOf(async () => {
    await using proxy = await startProxy({ verbose: 3 });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    client.end("\x00s3cret");
    await client.readAll();
    await proxy.waitFor(tcp());
  });
  expect(text).toMatch(/^TCP 127\.0\.0\.1:\d+ -> closed \(7 bytes out, 7 in, \d+ ms\)\n$/);
});
