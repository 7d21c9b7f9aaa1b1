// The commands about recordings, and what each of them says to machines.
import { spawnSync } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { commandNamed } from "../../src/cli/table.ts";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { hasCommand } from "../support/runtime.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { flowtape, LONG_MS, start, startFlowtape, within } from "./cli.ts";

/** A fixture of nock.back. */
async function nock(folder: TempFolder, name: string, ...paths: string[]): Promise<string> {
  const calls = paths.map((path) => ({
    scope: "https://api.test",
    method: "GET",
    path,
    status: 200,
    response: { path },
  }));
  await writeFile(folder.file(name), JSON.stringify(calls));
  return folder.file(name);
}

/** A tape with an entry for each path. */
async function tape(folder: TempFolder, name: string, ...paths: string[]): Promise<string> {
  const { code, stderr } = await within([
    "convert",
    "--force",
    await nock(folder, "nock.json", ...paths),
    folder.file(name),
  ]);
  expect(stderr).toContain(`is nock fixture: ${paths.length} exchange`);
  expect(code).toBe(0);
  return folder.file(name);
}

/** What a command says to machines: one line, with the members that its help promises. */
async function json(...args: string[]): Promise<Record<string, unknown> & { code: number }> {
  const { code, stdout } = await within([...args, "--json"]);
  expect(stdout).toMatch(/^\{.*\}\n$/);
  const value = JSON.parse(stdout) as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(commandNamed(args[0]!)!.json);
  return { code, ...value };
}

test("convert: a recording to a tape, one HAR file, and the source of MSW handlers", async () => {
  await using folder = await tempFolder();
  const from = await nock(folder, "nock.json", "/a", "/b");
  const [har, one, msw] = [folder.file("sub", "a.har"), folder.file("one.har"), folder.file("handlers.ts")];
  expect(await json("convert", from, har)).toEqual({
    code: 0,
    from,
    description: "nock fixture",
    entries: 2,
    to: har,
    format: "tape",
    notes: expect.any(Array),
  });
  expect((await readTape(har)).entries.map(String)).toEqual(["GET https://api.test/a", "GET https://api.test/b"]);
  expect(await json("convert", har, one, "--to", "har")).toMatchObject({ code: 0, format: "har" });
  expect(JSON.parse(await readFile(one, "utf8")).log.entries).toHaveLength(2);
  expect(await json("convert", one, msw)).toMatchObject({ code: 0, format: "msw" });
  expect(await readFile(msw, "utf8")).toMatch(/^import \{ http, HttpResponse \} from "msw";\n/);

  await writeFile(msw, "edited by hand");
  expect((await within(["convert", one, msw])).code).toBe(73);
  expect(await readFile(msw, "utf8")).toBe("edited by hand");
  expect((await within(["convert", "--force", one, msw])).code).toBe(0);
});

test("merge", async () => {
  await using folder = await tempFolder();
  const [a, b] = [await tape(folder, "a.har", "/1", "/2"), await tape(folder, "b.har", "/2", "/3")];
  const output = folder.file("all.har");
  expect(await json("merge", a, b, "-o", output)).toEqual({ code: 0, tapes: [a, b], read: 4, entries: 3, output });
  expect((await readTape(output)).entries).toHaveLength(3);
  expect((await within(["merge", a, b, "-o", output])).code).toBe(73);
  const { stderr } = await within(["merge", "--force", a, b, "-o", output]);
  expect(stderr).toBe(`flowtape: 3 exchanges of 2 tapes written to ${output}, 1 of 4 were there twice\n`);
});

test("scan: exits with 1 when there is something, and never shows it whole", async () => {
  await using folder = await tempFolder();
  const clean = await tape(folder, "clean.har", "/1");
  expect(await json("scan", clean)).toEqual({ code: 0, paths: [clean], findings: [] });
  const token = `ghp_${"aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5".slice(0, 36)}`;
  await writeFile(folder.file("leak.json"), JSON.stringify({ note: `use ${token}` }));
  const { code, findings } = await json("scan", folder.path) as {
    code: number;
    findings: { path: string; kind: string }[];
  };
  expect(code).toBe(1);
  expect(findings).toEqual([{
    path: folder.file("leak.json"),
    entry: expect.any(String),
    field: expect.any(String),
    kind: expect.stringMatching(/github/),
    excerpt: expect.any(String),
    fix: expect.any(String),
  }]);
  const { stdout, stderr } = await within(["scan", folder.path]);
  expect(stdout).toContain(folder.file("leak.json"));
  expect(stdout + stderr).not.toContain(token);
  expect(stderr).toBe("flowtape: 1 secret found\n");
  expect((await within(["scan", folder.path, "--allow", token])).code).toBe(0);
});

test("prune: lists, and removes when told to", async () => {
  await using folder = await tempFolder();
  const [used, unused] = [await tape(folder, "used.har", "/1"), await tape(folder, "unused.har", "/2")];
  const usage = folder.file("used.txt");
  const env = { FLOWTAPE_USAGE: usage };
  expect((await flowtape(["replay", "--tape", used, "--", "true"], { env })).code).toBe(0);
  expect(await json("prune", folder.path, "--usage", usage)).toEqual({
    code: 0,
    folder: folder.path,
    unused: [unused],
    removed: false,
  });
  const said = await within(["prune", folder.path], env);
  expect(said).toEqual({
    code: 0,
    stdout: `${unused}\n`,
    stderr: "flowtape: 1 tape is used by no test; --remove removes what is listed\n",
  });
  expect((await within(["prune", folder.path, "--usage", usage, "--remove"])).stderr).toContain(
    "1 tape is used by no test, removed",
  );
  await expect(stat(unused)).rejects.toThrow("ENOENT");
  await stat(used);
}, LONG_MS);

test("stats", async () => {
  await using folder = await tempFolder();
  const path = await tape(folder, "a.har", "/1", "/2");
  const { size } = await stat(path);
  expect(await json("stats", folder.path)).toEqual({
    code: 0,
    tapes: [{ path, entries: 2, bytes: size, bodies: 0, saved: 0, hosts: { "api.test": 2 }, recorded: null }],
    entries: 2,
    bytes: size,
    saved: 0,
    hosts: { "api.test": 2 },
  });
  expect((await within(["stats", path])).stdout).toMatch(/^entries +size +recorded +tape\n +2 /);
});

test("view: a table, JSON, a page; all of it or what a filter finds", async () => {
  await using folder = await tempFolder();
  const path = await tape(folder, "a.har", "/1", "/2");
  expect((await within(["view", path, "--text"])).stdout).toMatch(
    /^#.*\n0 +GET +https:\/\/api\.test\/1 +200 .*\n1 .*\n2 flows\n$/,
  );
  const flow = { type: "http", method: "GET", url: "https://api.test/2", status: 200, source: "tape", bytes: 13 };
  expect(await json("view", path, "--filter", "~u /2")).toEqual({
    code: 0,
    recording: path,
    description: "a tape of flowtape",
    flows: [flow],
    report: null,
  });
  const page = folder.file("out", "page.html");
  expect(await within(["view", path, "--output", page])).toEqual({ code: 0, stdout: `${page}\n`, stderr: "" });
  expect(await readFile(page, "utf8")).toContain("https://api.test/2");

  // Recordings of others, too.
  expect(await json("view", await nock(folder, "nock.json", "/n"))).toMatchObject({
    code: 0,
    description: "nock fixture",
  });
});

// What the browser does is nothing that a test of Deno may leave behind: it is looked at from outside.
test("view --open starts the browser and does not wait for it", async () => {
  await using folder = await tempFolder();
  const path = await tape(folder, "a.har", "/1");
  const browser = folder.file("browser");
  await writeFile(browser, `#!/bin/sh\necho "$1" >${folder.file("opened")}\nexec sleep 3\n`, { mode: 0o755 });
  const env = { BROWSER: browser };
  const { code, stdout } = await flowtape(["view", path, "--open", "-o", folder.file("a.html")], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${folder.file("a.html")}\n` });
  await expect.poll(() => readFile(folder.file("opened"), "utf8").catch(() => ""), { timeout: 20_000 }).toBe(stdout);
  const none = await within(["view", path, "--open", "-o", folder.file("a.html")], { BROWSER: "flowtape-nonesuch" });
  expect(none.code).toBe(69);
  expect(none.stderr).toContain("no browser could be started with flowtape-nonesuch");
}, LONG_MS);

test("ca: made once, kept, and shown in every form", async () => {
  await using folder = await tempFolder();
  const dir = folder.file("ca");
  const made = await json("ca", "--dir", dir) as Record<string, string> & { code: number };
  expect({ ...made }).toMatchObject({
    code: 0,
    dir,
    path: folder.file("ca", "ca.pem"),
    cert: await readFile(folder.file("ca", "ca.pem"), "utf8"),
    fingerprint: expect.stringMatching(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/),
    notAfter: expect.stringMatching(/^20\d\d-.*Z$/),
  });
  const mode = (await stat(folder.file("ca", "ca.key.pem"))).mode & 0o777;
  expect(mode).toBe(0o600);
  expect((await within(["ca"], { FLOWTAPE_CA_DIR: dir })).stdout).toContain(`SHA-256:      ${made.fingerprint}\n`);
  expect((await within(["ca", "--dir", dir, "--format", "fingerprint"])).stdout).toBe(`${made.fingerprint}\n`);
  expect((await within(["ca", "--dir", dir, "--format", "pem"])).stdout).toBe(made.cert);
  expect((await readdir(dir)).sort()).toEqual(["ca.key.pem", "ca.pem"]);

  const store = folder.file("out", "trust.p12");
  expect((await within(["ca", "--dir", dir, "--format", "p12", "--output", store, "--password", "geheim"])).code).toBe(
    0,
  );
  if (hasCommand("openssl")) {
    const read = spawnSync("openssl", ["pkcs12", "-in", store, "-passin", "pass:geheim", "-nokeys"], {
      encoding: "utf8",
    });
    expect(read.stdout).toContain(made.cert!.trim().split("\n")[1]);
    expect(spawnSync("openssl", ["pkcs12", "-in", store, "-passin", "pass:wrong", "-nokeys"]).status).not.toBe(0);
  }
  if (hasCommand("keytool")) {
    const listed = spawnSync("keytool", ["-list", "-keystore", store, "-storepass", "geheim"], { encoding: "utf8" });
    expect(listed.stdout).toContain("trustedCertEntry");
    expect(listed.stdout).toContain(made.fingerprint);
  }
  await writeFile(folder.file("ca", "ca.pem"), "no certificate");
  expect((await within(["ca", "--dir", dir])).code).toBe(78);
}, LONG_MS);

test("record, replay and run: the last line of the standard error stream, and a file", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const cwd = folder.path;
  const recorded = await flowtape(["record", "--json", "--", "curl", "-s", `${origin.url}/a?token=geheim`], { cwd });
  const summary = JSON.parse(recorded.stderr) as object;
  expect(Object.keys(summary).sort()).toEqual([...commandNamed("record")!.json!].sort());
  expect(summary).toEqual({
    command: "record",
    exitCode: 0,
    signal: null,
    flows: 1,
    sources: { upstream: 1 },
    tape: "flowtape.har",
    unmatched: [],
    unused: [],
    problems: [],
    report: null,
  });
  const script = `curl -s ${origin.url}/b?token=geheim >&2; exit 3`;
  const replayed = await flowtape(["replay", "--quiet", "--summary", "s.json", "--", "sh", "-c", script], { cwd });
  expect(replayed.code).toBe(3);
  expect(JSON.parse(await readFile(folder.file("s.json"), "utf8"))).toEqual({
    command: "replay",
    exitCode: 3,
    signal: null,
    flows: 1,
    sources: {},
    tape: "flowtape.har",
    unmatched: [`GET ${origin.url}/b?token=[redacted]`],
    unused: [expect.stringMatching(/^GET .*\/a\?token=/)],
    problems: [{ code: "UNMATCHED_REQUEST", message: expect.stringContaining("The nearest is entry 0") }],
    report: null,
  });
}, LONG_MS);

test("proxy: a line for each thing that happens", async () => {
  await using origin = await startOrigin();
  await using cli = startFlowtape(["proxy", "--port", "0", "--json"]);
  const listening = JSON.parse(await cli.said(/^.*\n/)) as { url: string; env: Record<string, string> };
  expect(listening).toEqual({
    type: "listening",
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    host: "127.0.0.1",
    port: expect.any(Number),
    ca: expect.any(String),
    env: expect.objectContaining({ http_proxy: listening.url }),
  });
  await using curl = start(["curl", "-s", "-x", listening.url, `${origin.url}/a`]);
  await curl.over;
  expect(JSON.parse(await cli.said(/^.*\n/))).toEqual({
    type: "flow",
    method: "GET",
    url: `${origin.url}/a`,
    status: 200,
    source: "upstream",
    bytes: 2,
    ms: expect.any(Number),
    alerts: [],
  });
  cli.kill("SIGINT");
  await cli.over;
  expect(JSON.parse(await cli.said(/^.*\n/))).toMatchObject({
    type: "closed",
    command: "proxy",
    exitCode: 0,
    flows: 1,
  });
  expect(cli.stderr).toBe("");
}, LONG_MS);
