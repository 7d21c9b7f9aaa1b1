// What the exit code says, and that one message says why.
import { access, mkdir, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { failureOf } from "../../src/cli/failure.ts";
import { startOrigin } from "../support/origin.ts";
import { startRawServer } from "../support/raw_server.ts";
import { hasCommand, runtime } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { commandLine, LONG_MS, start, within } from "./cli.ts";

const COMMANDS: [what: string, command: string[], code: number, stderr: string][] = [
  ["0", ["true"], 0, "no traffic came"],
  ["that of the command", ["sh", "-c", "exit 42"], 42, "no traffic came"],
  ["255", ["sh", "-c", "exit 255"], 255, "no traffic came"],
  ["128 and the signal that ended the command", ["sh", "-c", "kill -KILL $$"], 137, "no traffic came"],
  ["128 and another signal", ["sh", "-c", "kill -TERM $$"], 143, "no traffic came"],
  ["127: no such command", ["flowtape-nonesuch", "x"], 127, 'flowtape: there is no command "flowtape-nonesuch"\n'],
  ["127: no such file", ["./nonesuch"], 127, 'flowtape: there is no command "./nonesuch"\n'],
  ["127: a whole line in quotes", ["echo one"], 127, 'there is no command "echo one"; write it without quotes'],
  ["126: not executable", ["./plain.txt"], 126, "flowtape: ./plain.txt is not executable\n"],
  ["126: a folder", ["./folder"], 126, "flowtape: ./folder is not executable\n"],
];

test.each(COMMANDS)("%s", async (_, command, code, said) => {
  await using folder = await tempFolder();
  await writeFile(folder.file("plain.txt"), "plain");
  await mkdir(folder.file("folder"));
  const words = command.map((word) => word.replace(/^\.(?=\/)/, folder.path));
  const { stderr, ...result } = await within(["run", "--", ...words]);
  expect(result).toEqual({ code, stdout: "" });
  expect(stderr.replaceAll(folder.path, ".")).toContain(said);
  expect(stderr.trim().split("\n")).toHaveLength(1);
}, LONG_MS);

test("a command that cannot be run leaves the tape as it was", async () => {
  await using folder = await tempFolder();
  const tape = folder.file("a.har");
  expect((await within(["record", "--tape", tape, "--", "flowtape-nonesuch"])).code).toBe(127);
  await expect(access(tape)).rejects.toThrow("ENOENT");
}, LONG_MS);

const FILES: [what: string, args: string[], code: number, stderr: RegExp][] = [
  [
    "66: no such tape",
    ["replay", "--tape", "no.har", "--", "true"],
    66,
    /there is no tape no\.har: record it with flowtape record --tape no\.har -- true/,
  ],
  ["65: a damaged tape", ["replay", "--tape", "damaged.har", "--", "true"], 65, /damaged\.har/],
  ["65: a damaged tape, shown", ["view", "damaged.har"], 65, /damaged\.har/],
  ["65: a recording of no known form", ["convert", "other.json", "a.har"], 65, /it is none of HAR/],
  ["66: no such recording", ["view", "no.har"], 66, /no\.har/],
  ["66: no such file of rules", ["run", "--rules", "no.ts", "--", "true"], 66, /there is no file of rules no\.ts/],
  ["78: rules that are wrong", ["run", "--rules", "bad.json", "--", "true"], 78, /bad\.json: .*did you mean "respond"/],
  ["66: no such authority", ["run", "--upstream-ca", "no.pem", "--", "true"], 66, /no\.pem/],
  ["66: nothing to count", ["stats", "nowhere"], 66, /nowhere/],
  ["66: nothing to scan", ["scan", "nowhere"], 66, /nowhere/],
  ["66: no list of used tapes", ["prune", ".", "--usage", "no.txt"], 66, /there is no list of used tapes no\.txt/],
  [
    "73: a file that is there",
    ["convert", "good.har", "good.har"],
    73,
    /good\.har is there already: --force writes over it/,
  ],
  ["73: a folder that cannot be made", ["convert", "good.har", "good.har/x/a.har"], 73, /good\.har/],
];

test.each(FILES)("%s", async (_, args, code, said) => {
  await using folder = await tempFolder();
  await writeFile(folder.file("damaged.har"), '{"log": {"version": "1.2", "entries": [{]}}');
  await writeFile(
    folder.file("good.har"),
    '{"log": {"version": "1.2", "creator": {"name":"x","version":"1"}, "entries": []}}',
  );
  await writeFile(folder.file("other.json"), '{"some": "thing"}');
  await writeFile(folder.file("bad.json"), '[["http://a.test/", {"respnd": {}}]]');
  const words = args.map((word) => /^[a-z]+\.[a-z]+|nowhere/.test(word) ? folder.file(word) : word);
  const { stderr: told, ...result } = await within(words);
  const stderr = told.replaceAll(`${folder.path}/`, "");
  expect(stderr).toMatch(said);
  expect(stderr).toMatch(/^flowtape: /);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(result).toEqual({ code, stdout: "" });
}, LONG_MS);

test("69: the port is in use", async () => {
  await using server = await startRawServer(async () => {});
  const { code, stderr } = await within(["proxy", "--port", `${server.port}`]);
  expect(code).toBe(69);
  expect(stderr).toMatch(/^flowtape: cannot listen on 127\.0\.0\.1:\d+: the port is in use/);
});

test.runIf(hasCommand("curl"))("73: a tape that would hold a secret is not written", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin(() => ({ body: "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3A" }));
  const tape = folder.file("a.har");
  const { code, stderr } = await within(["record", "--tape", tape, "--", "curl", "-so", "/dev/null", origin.url]);
  expect(code).toBe(73);
  expect(stderr).toContain("random value Zm9v... (51 characters)");
  await expect(access(tape)).rejects.toThrow("ENOENT");
}, LONG_MS);

test("what is not foreseen is told as a mistake of flowtape, with the way to more", () => {
  const failure = failureOf(new RangeError("too far"));
  expect(failure).toEqual({
    exitCode: 70,
    code: "INTERNAL",
    message: expect.stringMatching(/too far\n.*FLOWTAPE_DEBUG=1/),
  });
});

test("141: nobody reads the output any more", async () => {
  await using folder = await tempFolder();
  const entry = (i: number) => ({
    startedDateTime: "2026-01-01T00:00:00.000Z",
    time: 0,
    request: {
      method: "GET",
      url: `http://a.test/${i}`,
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: [],
      queryString: [],
      headersSize: -1,
      bodySize: 0,
    },
    response: {
      status: 200,
      statusText: "OK",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: [],
      content: { size: 0, mimeType: "" },
      redirectURL: "",
      headersSize: -1,
      bodySize: 0,
    },
    cache: {},
    timings: { send: 0, wait: 0, receive: 0 },
  });
  const entries = Array.from({ length: 5000 }, (_, i) => entry(i));
  const log = { version: "1.2", creator: { name: "x", version: "1" }, entries };
  await writeFile(folder.file("long.har"), JSON.stringify({ log }));
  const line = commandLine("view", folder.file("long.har"), "--text").map((word) => `'${word}'`).join(" ");
  await using shell = start(["bash", "-c", `${line} | head -n 1; echo "\${PIPESTATUS[0]}"`]);
  await shell.over;
  // Bun does not tell.
  expect(shell.stdout).toMatch(runtime === "bun" ? /^ *# .*\n(?:141|0)\n$/ : /^ *# .*\n141\n$/);
  expect(shell.stderr).toBe("");
}, LONG_MS);
