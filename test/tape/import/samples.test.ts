import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { importTape, readTape, TapeEntry, writeTape } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { sample, type Step, STORY } from "./story.ts";

interface Sample {
  name: string;
  format: string;
  description: string;
  /** Steps that the tool cannot record. */
  without?: string[];
  /** The tool does not record the text behind the status. */
  noReason?: true;
  /** Cookies that are left when the tool keeps one line of a field. */
  cookies?: string[];
  /** The tool has undone what the server has encoded. */
  notes?: string[];
  origin?: string;
}

const TUNNEL = "log.entries[0] (CONNECT https://push.test): left out: a tunnel, whose requests stand by themselves";
const NEVER = "log.entries[12] (GET http://127.0.0.1:8123/never): left out: it was not sent";

const SAMPLES: Sample[] = [
  { name: "chrome.har", format: "har", description: "HAR by WebInspector 537.36" },
  { name: "firefox.har", format: "har", description: "HAR by Firefox 153.7.0" },
  { name: "safari.har", format: "har", description: "HAR by WebKit Web Inspector 1.0" },
  { name: "charles.har", format: "har", description: "HAR by Charles Proxy 4.6.7", notes: [TUNNEL] },
  {
    name: "insomnia.har",
    format: "har",
    description: "HAR by Insomnia REST Client insomnia.desktop.app:v2023.5.8",
    without: ["/bytes"],
    notes: [NEVER],
  },
  { name: "playwright.har", format: "har", description: "HAR by Playwright 1.65.1" },
  { name: "playwright/attached.har", format: "har", description: "HAR by Playwright 1.65.1" },
  { name: "playwright", format: "har", description: "HAR by Playwright 1.65.1" },
  { name: "playwright.zip", format: "har", description: "HAR by Playwright 1.65.1" },
  { name: "mitmproxy.har", format: "har", description: "HAR by mitmproxy har_dump 0.1" },
  { name: "polly/recording.har", format: "polly", description: "Polly.js recording" },
  { name: "nock.json", format: "nock", description: "nock fixture", noReason: true, cookies: ["b=2; Path=/"] },
  { name: "vcr.yml", format: "vcr", description: "VCR cassette" },
  { name: "vcr_base64.yml", format: "vcr", description: "VCR cassette" },
  { name: "vcrpy.yaml", format: "vcrpy", description: "vcrpy cassette" },
  { name: "vcrpy.json", format: "vcrpy", description: "vcrpy cassette", without: ["/bytes", "/gzip"] },
  { name: "go_vcr.yaml", format: "go-vcr", description: "go-vcr cassette" },
  {
    name: "wiremock",
    format: "wiremock",
    description: "WireMock mappings",
    origin: "http://127.0.0.1:8123",
    noReason: true,
  },
  { name: "hoverfly.json", format: "hoverfly", description: "Hoverfly simulation", noReason: true },
];

describe.each(SAMPLES)("$name", (it) => {
  const { name, without = [], notes = [], origin } = it;
  const story = STORY.filter(({ url }) => !without.some((path) => url.endsWith(path)));

  test("is known by its content, and says what was sent and answered", async () => {
    const tape = await importTape(sample(name), { origin });
    expect([tape.format, tape.description, tape.notes]).toEqual([it.format, it.description, notes]);
    const turns = new Map<string, number>();
    for (const step of story) {
      const same = tape.entries.filter((entry) => keyOf(entry) === keyOf(step));
      const turn = turns.get(keyOf(step)) ?? 0;
      turns.set(keyOf(step), turn + 1);
      await checkEntry(same[turn], step, it);
    }
    expect(tape.entries.map(({ index }) => index)).toEqual(tape.entries.map((_, i) => i));
  });

  test("becomes a tape that a proxy replays without the network", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeTape(path, await importTape(sample(name), { origin }), { redact: false });
    await using proxy = await startProxy({ tape: { path, mode: "replay", redact: false } });
    for (const step of story) {
      const { method, url, headers, body } = step;
      const sent = body === "" ? {} : { body };
      const response = await proxy.fetch(url, { method, headers, redirect: "manual", ...sent });
      expect([url, response.status]).toEqual([url, step.status]);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(step.answer));
      expect(response.headers.get("content-encoding")).toBe(null);
      expect(response.headers.get("location")).toBe(step.location);
      expect(response.headers.getSetCookie()).toEqual(step.cookies.length > 0 ? it.cookies ?? step.cookies : []);
    }
    expect(proxy.unmatched.length).toBe(0);
  });
});

describe("failures", () => {
  test.each([
    { name: "chrome.har", message: "net::ERR_CONNECTION_REFUSED" },
    { name: "playwright.zip", message: "net::ERR_CONNECTION_REFUSED" },
    { name: "firefox.har", message: "the recording holds no response" },
  ])("$name has a request that failed, and so does its replay", async ({ name, message }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const tape = await importTape(sample(name));
    expect(tape.entries.at(-1)!.failure).toEqual({ code: "UPSTREAM_CLOSED", message });
    await writeTape(path, tape);
    await using proxy = await startProxy({ tape: { path, mode: "replay" } });
    const response = await proxy.fetch("http://127.0.0.1:8129/refused");
    expect([response.status, await response.text()]).toEqual([502, expect.stringContaining(message)]);
  });
});

test("what is secret is redacted when an import is written", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const tape = await importTape(sample("chrome.har"));
  const cookies = (entries: readonly TapeEntry[]) =>
    entries.find(({ url }) => url.endsWith("/cookies"))!.responseHeaders.getAll("set-cookie");
  expect(cookies(tape.entries)).toEqual(["a=1; Path=/", "b=2; Path=/"]);
  await writeTape(path, tape);
  const [a, b] = cookies((await readTape(path)).entries);
  expect([a, b]).toEqual([
    expect.stringMatching(/^a=\[redacted.*\]; Path=\/$/),
    expect.stringMatching(/^b=\[redacted/),
  ]);
});

test("HAR files that need no other files are replayed as they are, too", async () => {
  await using proxy = await startProxy({ tape: { path: sample("chrome.har"), mode: "replay" } });
  expect(await (await proxy.fetch("http://127.0.0.1:8123/text")).text()).toBe("Grüße, 世界");
  expect(await (await proxy.fetch("http://127.0.0.1:8123/gzip")).json()).toEqual({ coded: true });
});

test("a tape of flowtape is one already", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await writeTape(path, await importTape(sample("vcrpy.yaml")));
  const tape = await importTape(path);
  expect([tape.format, tape.description, tape.entries.length]).toEqual(["flowtape", "a tape of flowtape", 14]);
  expect((await tape.entries[4]!.response())!.body.length).toBe(4690);
});

async function checkEntry(entry: TapeEntry | undefined, step: Step, it: Sample): Promise<void> {
  expect(entry, `${step.method} ${step.url}`).toBeInstanceOf(TapeEntry);
  const request = await entry!.request();
  expect(request.text()).toBe(step.body);
  const response = (await entry!.response())!;
  const { status, reason, headers, body } = response;
  expect([status, reason]).toEqual([step.status, it.noReason ? "" : step.reason]);
  expect(Buffer.from(body)).toEqual(Buffer.from(step.answer));
  expect(headers.get("content-type")).toBe(step.type);
  expect(headers.get("content-encoding")).toBe(null);
  expect(headers.get("location")).toBe(step.location);
  if (step.cookies.length > 0) expect(headers.getAll("set-cookie")).toEqual(it.cookies ?? step.cookies);
}

/** The method and the URL, whatever has become of the order of its query. */
function keyOf({ method, url }: { method: string; url: string }): string {
  const { origin, pathname, searchParams } = new URL(url);
  searchParams.sort();
  return `${method} ${origin}${pathname}?${searchParams}`;
}
