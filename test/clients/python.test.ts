// Python's urllib, recorded and replayed.
import { expect, test } from "vitest";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { recordAndReplay } from "./record_and_replay.ts";

const SCRIPT = `
import sys, json, urllib.request, urllib.error, base64
base = sys.argv[1]
out = []
def fetch(path, data=None):
    try:
        r = urllib.request.urlopen(urllib.request.Request(base + path, data=data), timeout=8)
    except urllib.error.HTTPError as e:
        r = e
    out.append([path, r.status, r.reason, r.headers.get_all("Set-Cookie"), base64.b64encode(r.read()).decode()])
for path in ["/text", "/binary", "/chunks", "/redirect", "/cookies", "/missing", "/count", "/count"]:
    fetch(path)
fetch("/echo", b"a=1")
print(json.dumps(out))
`;

const withPython = test.runIf(hasCommand("python3"));
if (!hasCommand("python3")) console.warn("python3 is not installed: its tests are skipped");

withPython.each(["http", "https"])("urllib, %s", async (scheme) => {
  const { stdout, stderr } = await recordAndReplay(
    (proxy, url) => run("python3", ["-c", SCRIPT, url], { env: proxy.env() }),
    { tls: scheme === "https", redact: false },
  );
  expect(stderr).toBe("");
  const answers = (JSON.parse(stdout) as [string, number, string, string[] | null, string][])
    .map(([path, status, reason, cookies, body]) => ({ path, status, reason, cookies, body: atob(body) }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 404, 200, 200, 201]);
  expect(answers[2]!.body).toBe("one two three");
  expect(answers[4]!.cookies).toEqual(["a=1", "b=2; Path=/"]);
  expect(answers[5]!.reason).toBe("Not Here");
  expect(answers.slice(6).map(({ body }) => body)).toEqual(["count 1", "count 2", "echo a=1"]);
});
