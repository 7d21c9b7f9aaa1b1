// The prompt on a terminal, key by key, with curl as the client.
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { startOrigin } from "../support/origin.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { LONG_MS, type Running, start, startFlowtape } from "./cli.ts";

const there = hasCommand("python3") && hasCommand("curl");
if (!there) console.warn("python3 or curl is not installed: tests on a terminal are skipped");

const QUESTION = /\(n\)ext \? $/;

async function urlOf(cli: Running): Promise<string> {
  return /listens at (\S+);/.exec(await cli.said(/listens at (\S+);/))![1]!;
}

/** Waits for the question, and types. Gives what was shown before. */
async function answer(cli: Running, line: string): Promise<string> {
  const shown = await cli.said(QUESTION);
  cli.type(`${line}\n`);
  return shown;
}

test.runIf(there)("v, h, ?, e, n, f, c and d", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin(({ target, text }) => ({ body: `${target} ${text()}` }));
  // An editor that reads from the terminal itself.
  await writeFile(
    folder.file("editor.sh"),
    'read -p "new quantity: " qty </dev/tty; sed "s/qty=2/qty=$qty/" "$1" >"$1.new"; mv "$1.new" "$1"\n',
  );
  const env = { EDITOR: `bash ${folder.file("editor.sh")}`, VISUAL: undefined };
  await using cli = startFlowtape(["proxy", "--ask", "--port", "0"], { terminal: true, env });
  const url = await urlOf(cli);
  const curl = (path: string, ...more: string[]) => start(["curl", "-s", "-x", url, ...more, origin.url + path]);

  await using edited = curl("/edited", "--data", "qty=2");
  await answer(cli, "v");
  expect(await answer(cli, "h")).toContain("\n\n  qty=2\n");
  expect(await answer(cli, "?")).toMatch(/^ {2}Host: /m);
  expect(await answer(cli, "e")).toContain("  e  opens it in $EDITOR");
  await cli.said(/new quantity: $/);
  cli.type("12345\n");
  expect(await answer(cli, "n")).toContain("/edited (request, 9 bytes)");
  expect(await answer(cli, "f")).toContain("no other one waits");
  await edited.over;
  expect(edited.stdout).toBe("/edited qty=12345");

  await using dropped = curl("/dropped");
  await answer(cli, "d");
  expect([52, 56]).toContain((await dropped.over).code);

  await using first = curl("/first");
  await answer(cli, "c");
  await first.over;
  await using second = curl("/second");
  await second.over;
  expect([first.stdout, second.stdout]).toEqual(["/first ", "/second "]);

  cli.type("\x03");
  expect((await cli.over).code).toBe(0);
  expect(cli.stdout).toMatch(/flowtape: 4 flows: 3 by the server, 1 by rules\n$/);
}, LONG_MS);

test.runIf(there)("b and l on CONNECT, and the end of the input", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin(() => ({ body: "behind TLS" }), { tls: true });
  await writeFile(folder.file("ca.pem"), origin.ca);
  const args = ["proxy", "--ask-on", "connect", "--port", "0", "--upstream-ca", "ca.pem", "--ca-dir", "ca"];
  await using cli = startFlowtape(args, { terminal: true, cwd: folder.path });
  const url = await urlOf(cli);
  const curl = (ca: string) => start(["curl", "-s", "-x", url, "--cacert", folder.file(ca), `${origin.url}/`]);

  await using read = curl("ca/ca.pem");
  expect(await answer(cli, "b")).toContain("[b]ypass, (l)ink");
  await read.over;
  expect(read.stdout).toBe("behind TLS");

  // Relayed unread: the client sees the certificate of the server.
  await using unread = curl("ca.pem");
  await answer(cli, "l");
  await unread.over;
  expect(unread.stdout).toBe("behind TLS");

  await using late = curl("ca/ca.pem");
  await cli.said(QUESTION);
  cli.type("\x04");
  await cli.said(/nobody answers any more/);
  await late.over;
  expect(late.stdout).toBe("behind TLS");
  cli.type("\x03");
  expect((await cli.over).code).toBe(0);
}, LONG_MS);

test.runIf(there)("Ctrl-C while something waits forwards it, and is no mistake", async () => {
  await using origin = await startOrigin();
  await using cli = startFlowtape(["proxy", "--ask", "--port", "0"], { terminal: true });
  const url = await urlOf(cli);
  await using curl = start(["curl", "-s", "-x", url, origin.url]);
  await cli.said(QUESTION);
  cli.type("\x03");
  expect((await cli.over).code).toBe(0);
  await curl.over;
  expect(curl.stdout).toBe("ok");
}, LONG_MS);

test("without a terminal, answers come from a pipe", async () => {
  await using origin = await startOrigin();
  await using cli = startFlowtape(["proxy", "--ask", "--port", "0"]);
  const url = await urlOf(cli);
  await using curl = start(["curl", "-s", "-x", url, origin.url]);
  await answer(cli, "f");
  await curl.over;
  expect(curl.stdout).toBe("ok");
  cli.kill("SIGINT");
  expect((await cli.over).code).toBe(0);
}, LONG_MS);

test("a rule that asks is answered by nobody where a command runs", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  await writeFile(folder.file("rules.json"), '[["*", "ask"]]');
  const args = ["run", "--rules", "rules.json", "--", "curl", "-s", `${origin.url}/a`, `${origin.url}/b`];
  await using cli = startFlowtape(args, { cwd: folder.path });
  expect((await cli.over).code).toBe(0);
  expect(cli.stdout).toBe("okok");
  expect(cli.stderr).toContain("flowtape proxy asks");
}, LONG_MS);
