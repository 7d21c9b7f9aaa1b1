// curl, recorded and replayed.
import { expect, test } from "vitest";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { recordAndReplay, unpacked } from "./record_and_replay.ts";

const withCurl = test.runIf(hasCommand("curl"));
if (!hasCommand("curl")) console.warn("curl is not installed: its tests are skipped");

const COMMANDS: [string, ...string[]][] = [
  ["GET", "/text"],
  ["HEAD", "--head", "/text"],
  ["POST", "--data", "a=1&b=2", "/echo"],
  ["POST of JSON", "--json", '{"qty":2}', "/echo"],
  ["PUT of a large body", "--request", "PUT", "--data", "x".repeat(100_000), "/echo"],
  ["gzip, decoded", "--compressed", "/gzip"],
  ["chunks and trailers", "/chunks"],
  ["binary", "--output", "-", "/binary"],
  ["204", "/empty"],
  ["404", "/missing"],
  ["a redirect that is followed", "--location", "/redirect"],
  ["two cookies", "/cookies"],
  ["identical requests in order", "/count", "/count", "/count"],
  ["HTTP/1.0", "--http1.0", "/text"],
  ["HTTP/1.0, chunks", "--http1.0", "/chunks"],
];

for (const tls of [false, true]) {
  withCurl.each(COMMANDS)(`${tls ? "https" : "http"}: %s`, async (_, ...args) => {
    const options = args.filter((arg) => !arg.startsWith("/"));
    const paths = args.filter((arg) => arg.startsWith("/"));
    const { stdout, stderr, code } = await recordAndReplay(async (proxy, url) => {
      const result = await run("curl", [
        "--silent",
        "--show-error",
        "--include",
        ...options,
        ...paths.map((path) => url + path),
      ], {
        env: proxy.env(),
      });
      return { ...result, stdout: unpacked(result.stdout) };
    }, { tls, ...(paths[0] === "/cookies" ? { redact: false } : {}) });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/HTTP\/1\.1 \d{3} /);
    if (paths.length === 3) expect(stdout).toMatch(/count 1[^]*count 2[^]*count 3$/);
  });
}

withCurl("does not trust the proxy unless it is told to: the proxy says so, and goes on", async () => {
  const { startProxy, respond } = await import("../../src/mod.ts");
  const log: string[] = [];
  await using proxy = await startProxy({
    defaultAction: respond({ body: "ok" }),
    addons: [{ log: ({ level, message }) => void log.push(`${level} ${message}`) }],
  });
  const env = proxy.env();
  const trusting = { CURL_CA_BUNDLE: env["CURL_CA_BUNDLE"], SSL_CERT_FILE: env["SSL_CERT_FILE"] };
  const distrusting = await run("curl", ["--silent", "https://shop.test/"], {
    env: { ...env, CURL_CA_BUNDLE: undefined, SSL_CERT_FILE: undefined },
  });
  expect(distrusting.code).toBe(60);
  const [flow] = proxy.flows;
  expect(flow!.error!.code).toBe("TLS_CLIENT_REJECTED");
  expect(log).toEqual([expect.stringMatching(/^warn CONNECT shop\.test:443: The client refused the certificate/)]);
  expect(await run("curl", ["--silent", "https://shop.test/"], { env: { ...env, ...trusting } })).toMatchObject({
    stdout: "ok",
  });
});
