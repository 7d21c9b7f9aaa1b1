// A command is recorded with a server, and replayed without one.
import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { hasCommand, runtimePath } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { flowtape, LONG_MS, within } from "./cli.ts";

const PYTHON = "import sys, urllib.request\nprint(urllib.request.urlopen(sys.argv[1]).read().decode())";
const NODE = "console.log(await (await fetch(process.argv.at(-1))).text())";

const CLIENTS: [name: string, command: string[]][] = [
  ["curl", ["curl", "--silent", "--show-error"]],
  ["python3", ["python3", "-c", PYTHON]],
  ["node", [runtimePath("node"), "--input-type=module", "--eval", NODE, "--"]],
];

for (const [name, command] of CLIENTS) {
  for (const tls of name === "curl" ? [false, true] : [true]) {
    const there = name === "node" || hasCommand(name);
    test.runIf(there)(
      `${name}, ${tls ? "https" : "http"}: the same answers, and nothing else on its output`,
      async () => {
        await using folder = await tempFolder();
        let url: string;
        {
          let count = 0;
          await using origin = await startOrigin(() => ({ body: `answer ${++count}` }), tls ? { tls: true } : {});
          await writeFile(folder.file("ca.pem"), origin.ca);
          url = `${origin.url}/a`;
          const trust = tls ? ["--upstream-ca", "ca.pem"] : [];
          const recorded = await flowtape(["record", "--tape", "t.har", ...trust, "--", ...command, url], {
            cwd: folder.path,
          });
          expect(recorded).toMatchObject({ code: 0, stdout: expect.stringMatching(/^answer 1\n?$/) });
          expect(recorded.stderr).toBe("flowtape: 1 flow: 1 by the server (t.har)\n");
        }
        expect((await readTape(folder.file("t.har"))).entries.map(String)).toEqual([`GET ${url}`]);
        const replayed = await flowtape(["replay", "--tape", "t.har", "--", ...command, url], { cwd: folder.path });
        expect(replayed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^answer 1\n?$/) });
        expect(replayed.stderr).toBe("flowtape: 1 flow: 1 from the tape (t.har)\n");
      },
      LONG_MS,
    );
  }
}

const withCurl = test.runIf(hasCommand("curl"));

withCurl(
  "what nothing on the tape matches makes the exit code 76, also when the command has swallowed it",
  async () => {
    await using folder = await tempFolder();
    const cwd = folder.path;
    await using origin = await startOrigin();
    await flowtape(["record", "--", "curl", "-s", `${origin.url}/a`], { cwd });
    const swallow = ["sh", "-c", `curl -s ${origin.url}/b >/dev/null; echo fine`];
    const { code, stdout, stderr } = await flowtape(["replay", "--", ...swallow], { cwd });
    expect({ code, stdout }).toEqual({ code: 76, stdout: "fine\n" });
    expect(stderr).toContain(`GET ${origin.url}/b`);
    expect(stderr).toContain("The nearest is entry 0");
    expect(stderr).toContain("flowtape record --missing --tape flowtape.har -- sh -c");
    expect(stderr).toContain("flowtape: 1 flow: 1 matched nothing (flowtape.har)");
    expect(origin.requests).toHaveLength(1);

    // A command that fails keeps its own code, and the reason is said all the same.
    const fails = await flowtape(["replay", "--", "sh", "-c", `curl -s ${origin.url}/b; exit 5`], { cwd });
    expect(fails.code).toBe(5);
    expect(fails.stderr).toContain("The nearest is entry 0");
  },
  LONG_MS,
);

withCurl("--missing adds; record records anew; FLOWTAPE_MODE is for the command alone", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const env = { FLOWTAPE_MODE: "replay" };
  let count = 0;
  await using origin = await startOrigin(() => ({ body: `${++count}` }));
  const record = (args: string[], ...paths: string[]) =>
    flowtape([
      "record",
      "--quiet",
      ...args,
      "--",
      "sh",
      "-c",
      `curl -s ${paths.map((it) => origin.url + it).join(" ")}; echo " $FLOWTAPE_MODE"`,
    ], { cwd, env });
  expect((await record([], "/a")).stdout).toBe("1 replay\n");
  expect((await record(["--missing"], "/a", "/b")).stdout).toBe("12 replay\n");
  expect((await readTape(folder.file("flowtape.har"))).entries).toHaveLength(2);
  expect((await record([], "/b")).stdout).toBe("3 replay\n");
  expect((await readTape(folder.file("flowtape.har"))).entries).toHaveLength(1);
}, LONG_MS);

withCurl("a command that fails is recorded, but not with --only-on-success", async () => {
  await using folder = await tempFolder();
  const tape = folder.file("a.har");
  await using origin = await startOrigin();
  const fails = ["--tape", tape, "--", "sh", "-c", `curl -so /dev/null ${origin.url}/a; exit 3`];
  expect((await within(["record", "--only-on-success", ...fails])).code).toBe(3);
  await expect(readFile(tape)).rejects.toThrow("ENOENT");
  expect((await within(["record", ...fails])).code).toBe(3);
  expect((await readTape(tape)).entries).toHaveLength(1);

  // Entries that nothing asks for can be a failure, too; not of a command that has failed.
  expect((await within(["replay", "--tape", tape, "--", "true"])).code).toBe(0);
  const { code, stderr } = await within(["replay", "--tape", tape, "--unused", "fail", "--", "true"]);
  expect(code).toBe(76);
  expect(stderr).toContain(`GET ${origin.url}/a`);
  expect((await within(["replay", "--tape", tape, "--unused", "fail", "--", "false"])).code).toBe(1);
}, LONG_MS);

test("the standard input is the command's", async () => {
  const { stdout, code } = await flowtape(["run", "--", "cat"], { input: "one\ntwo\n" });
  expect({ stdout, code }).toEqual({ stdout: "one\ntwo\n", code: 0 });
}, LONG_MS);

withCurl("a report of what passed", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const args = ["run", "--report", "out/report.html", "--", "curl", "-s", `${origin.url}/in-the-report`];
  const { code, stderr } = await flowtape(args, { cwd: folder.path });
  expect(code).toBe(0);
  expect(stderr).toContain(`flowtape: report: ${folder.file("out", "report.html")}\n`);
  expect(await readFile(folder.file("out", "report.html"), "utf8")).toContain("/in-the-report");
}, LONG_MS);
