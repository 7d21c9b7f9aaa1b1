// Signals reach the command and all that it has started; whatever happens, the tape is whole.
import { readdir } from "node:fs/promises";
import process from "node:process";
import { expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { commandLine, LONG_MS, start, startFlowtape } from "./cli.ts";

const withCurl = test.runIf(hasCommand("curl"));

withCurl.each([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]] as const)(
  "%s ends the command, and what was recorded is on the tape",
  async (signal, exitCode) => {
    await using folder = await tempFolder();
    await using origin = await startOrigin();
    // No core dump of the command that SIGQUIT ends.
    const script = `ulimit -c 0; curl -s ${origin.url}/a; echo; exec sleep 60`;
    await using cli = startFlowtape(["record", "--", "sh", "-c", script], { cwd: folder.path });
    await cli.said(/ok\n/);
    cli.kill(signal);
    expect(await cli.over).toEqual({ code: exitCode, signal: null });
    expect(cli.stderr).toBe("flowtape: 1 flow: 1 by the server (flowtape.har)\n");
    expect((await readTape(folder.file("flowtape.har"))).entries.map(String)).toEqual([`GET ${origin.url}/a`]);
  },
  LONG_MS,
);

withCurl("a command that handles a signal goes on, and its exit code is kept", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const handler = `curl -s ${origin.url}/late; exit 7`;
  const script = `trap '${handler}' TERM; echo ready; while :; do sleep 0.1; done`;
  await using cli = startFlowtape(["record", "--", "bash", "-c", script], { cwd: folder.path });
  await cli.said(/ready/);
  cli.kill("SIGTERM");
  expect((await cli.over).code).toBe(7);
  expect(cli.stdout).toBe("ready\nok");
  expect((await readTape(folder.file("flowtape.har"))).entries).toHaveLength(1);
}, LONG_MS);

test("the processes that the command has started get the signal, too", async () => {
  const inner = "trap 'echo inner; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
  const outer = `bash -c "${inner}" & trap 'wait; echo outer; exit 4' TERM; wait`;
  await using cli = startFlowtape(["run", "--quiet", "--", "bash", "-c", outer]);
  await cli.said(/ready/);
  cli.kill("SIGTERM");
  expect((await cli.over).code).toBe(4);
  expect(cli.stdout).toBe("ready\ninner\nouter\n");
}, LONG_MS);

test("a command that ignores a signal ends when it likes", async () => {
  const script = "trap '' TERM; echo ready; read line; echo $line";
  await using cli = startFlowtape(["run", "--quiet", "--", "bash", "-c", script]);
  await cli.said(/ready/);
  cli.kill("SIGTERM");
  cli.type("still there\n");
  expect((await cli.over).code).toBe(0);
  expect(cli.stdout).toBe("ready\nstill there\n");
}, LONG_MS);

const onTerminal = test.runIf(hasCommand("python3"));

onTerminal("Ctrl-C in a terminal reaches the command once", async () => {
  // Bash would take two for one while it waits.
  const script = `import signal, time
count = 0
def caught(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, caught)
print("ready", flush=True)
while count == 0: time.sleep(0.05)
time.sleep(1.5)
print("total", count, flush=True)
exit(9)`;
  await using cli = startFlowtape(["run", "--quiet", "--", "python3", "-c", script], { terminal: true });
  await cli.said(/ready/);
  cli.type("\x03");
  expect(await cli.said(/total \d+\n/)).toMatch(/total 1\n$/);
  expect((await cli.over).code).toBe(9);
}, LONG_MS);

onTerminal("a command on a terminal may read from it, and gets SIGTERM from whoever signals flowtape", async () => {
  const script = "trap 'echo term; exit 6' TERM; read line; echo \"got $line\"; kill -TERM $PPID; " +
    "while :; do sleep 0.1; done";
  await using cli = startFlowtape(["run", "--quiet", "--", "bash", "-c", script], { terminal: true });
  cli.type("typed\n");
  await cli.said(/got typed\nterm\n/);
  expect((await cli.over).code).toBe(6);
}, LONG_MS);

test("proxy ends well with a signal, and writes its tape", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const args = ["proxy", "--port", "0", "--tape", "t.har", "--mode", "record"];
  await using cli = startFlowtape(args, { cwd: folder.path });
  const [, url] = /listens at (\S+);/.exec(await cli.said(/listens at (\S+);/))!;
  await using curl = start(["curl", "-s", "--proxy", url!, `${origin.url}/a`]);
  await curl.over;
  expect(curl.stdout).toBe("ok");
  cli.kill("SIGTERM");
  expect((await cli.over).code).toBe(0);
  expect(cli.stderr).toMatch(
    /^GET .*\/a -> 200 OK \(upstream, \d+ ms\)\nflowtape: 1 flow: 1 by the server \(t\.har\)\n$/,
  );
  expect((await readTape(folder.file("t.har"))).entries).toHaveLength(1);
}, LONG_MS);

test("flowtape that is killed leaves what was recorded to the next one", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const script = `curl -s ${origin.url}/a; echo; curl -s ${origin.url}/b; echo; exec sleep 60`;
  await using cli = startFlowtape(["record", "--", "sh", "-c", `echo $$; ${script}`], { cwd: folder.path });
  const said = await cli.said(/ok\nok\n/);
  const dead = new Promise((resolve) => cli.child.once("exit", resolve));
  cli.kill("SIGKILL");
  await dead;
  // Nobody is there any more to pass a signal on.
  process.kill(-Number(/^\d+/.exec(said)![0]), "SIGKILL");
  await using next = startFlowtape(["replay", "--", "curl", "-s", `${origin.url}/a`], { cwd: folder.path });
  await next.over;
  expect(next.stdout).toBe("ok");
}, LONG_MS);

test("nothing is left in the folder for temporary files", async () => {
  await using folder = await tempFolder();
  const env = { TMPDIR: folder.path };
  await using shell = start([...commandLine("run", "--quiet", "--"), "sh", "-c", "ls $TMPDIR"], { env });
  await shell.over;
  expect(shell.stdout).toMatch(/^flowtape-ca-\S+\n$/);
  expect(await readdir(folder.path)).toEqual([]);
}, LONG_MS);
