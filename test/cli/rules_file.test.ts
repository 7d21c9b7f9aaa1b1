// Rules from a file.
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { progress } from "../../src/cli/progress.ts";
import { optionsOfJson } from "../../src/cli/rule_json.ts";
import { printable, type Terminal } from "../../src/cli/terminal.ts";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";
import { flowtape, LONG_MS, within } from "./cli.ts";

const MOD = fileURLToPath(new URL("../../src/mod.ts", import.meta.url));
const withCurl = test.runIf(hasCommand("curl"));

const GOOD: [name: string, text: string][] = [
  ["a.json", '[["http://a.test/*", { "respond": { "json": { "id": 1 } } }]]'],
  ["b.json", '\ufeff{ "rules": [], "defaultAction": { "respond": { "json": { "id": 1 } } } }'],
  [
    "c.json",
    '[[{ "filter": "~d a.test & ~m GET" }, { "steps": [{ "delay": 1 }, { "respond": { "json": { "id": 1 } } }] }]]',
  ],
  [
    "e.ts",
    `import { type ProxyOptions, respond } from ${JSON.stringify(MOD)};
const options: ProxyOptions = { rules: [["http://a.test/*", respond({ json: { id: 1 } })]] };
export default options;`,
  ],
  [
    "f.ts",
    `import { respond } from ${JSON.stringify(MOD)};
export default [["http://a.test/*", respond({ json: { id: 1 } })]] as const;`,
  ],
];

withCurl.each(GOOD)("%s", async (name, text) => {
  await using folder = await tempFolder();
  await writeFile(folder.file(name), text);
  const args = ["run", "--quiet", "--rules", name, "--", "curl", "-s", "http://a.test/x"];
  expect(await flowtape(args, { cwd: folder.path })).toEqual({ code: 0, stdout: '{"id":1}', stderr: "" });
}, LONG_MS);

const BAD: [name: string, text: string, message: RegExp][] = [
  ["a.json", "[", /a\.json is not JSON: /],
  ["b.json", '"x"', /b\.json: a list of rules, or an object with options, is expected, not "x"/],
  ["c.json", '[["x"]]', /c\.json: rules\[0\] is \["x"\]: \[matcher, action\] is expected/],
  ["d.json", '[["http://a.test/", { "respond": {}, "delay": 1 }]]', /d\.json: the action of rules\[0\] is/],
  ["e.json", '[["http://a.test/", { "delay": -1 }]]', /e\.json: rules\[0\]: /],
  ["f.json", '[["http://a.test/", "dorp"]]', /f\.json: rules\[0\].*did you mean "drop"/],
  ["g.json", '{ "ruels": [] }', /g\.json: option ruels is not known; did you mean "rules"/],
  ["h.json", '{ "rules": {} }', /h\.json: rules is \{\}: a list of \[matcher, action\] is expected/],
  [
    "i2.json",
    '[["*", [{ "respond": {} }, { "steps": [{ "delay": "x" }] }]]]',
    /i2\.json: rules\[0\]\[1\]\[1\]\.steps\[0\]: /,
  ],
  ["i.json", '[[{ "filter": "~zz" }, "drop"]]', /i\.json: /],
  [
    "j.mjs",
    "export const rules = [];",
    /j\.mjs has no default export: .*; it exports rules: write export default rules/,
  ],
  ["k.mjs", "export default 7;", /k\.mjs has a default export of another kind/],
  ["l.mjs", "throw new Error('from within');", /l\.mjs(?::\d+)*(?::\d+)? cannot be loaded: from within/],
  [
    "m.mjs",
    "import 'flowtape-nonesuch';",
    /m\.mjs(?::\d+)* cannot be loaded: .*flowtape-nonesuch(?!.*Install flowtape)/,
  ],
  ["n.ts", "export default [;", /n\.ts(?::\d+)*(?::\d+)? cannot be loaded: /],
];

test.each(BAD)("%s: %s", async (name, text, message) => {
  await using folder = await tempFolder();
  await writeFile(folder.file(name), text);
  const { code, stdout, stderr } = await within(["run", "--rules", folder.file(name), "--", "true"]);
  expect(stderr.replaceAll(`${folder.path}/`, "")).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
});

test("a name that flowtape does not have is no reason to install it", async () => {
  await using folder = await tempFolder();
  await mkdir(folder.file("node_modules/flowtape"), { recursive: true });
  await writeFile(folder.file("node_modules/flowtape/package.json"), '{ "type": "module", "exports": "./mod.js" }');
  await writeFile(folder.file("node_modules/flowtape/mod.js"), "export const respond = 1;");
  await writeFile(folder.file("misspelt.mjs"), 'import { respnd } from "flowtape";\nexport default [respnd];');
  const { code, stderr } = await within(["run", "--rules", folder.file("misspelt.mjs"), "--", "true"]);
  expect(stderr).not.toContain("Install flowtape");
  expect(code).toBe(78);
});

withCurl("a file of options may name the tape; the command line goes before it", async () => {
  await using folder = await tempFolder();
  await using origin = await startOrigin();
  const [rules, one, two] = [folder.file("o.json"), folder.file("one.har"), folder.file("two.har")];
  await writeFile(rules, JSON.stringify({ tape: { path: one, times: true } }));
  const command = ["--rules", rules, "--", "curl", "-so", "/dev/null", origin.url];
  expect((await within(["record", ...command])).code).toBe(0);
  expect((await readTape(one)).entries).toHaveLength(1);
  expect((await within(["replay", ...command])).stderr).toContain(`1 from the tape (${one})`);
  expect((await within(["record", "--tape", two, ...command])).code).toBe(0);
  expect((await readTape(two)).entries).toHaveLength(1);
}, LONG_MS);

withCurl("what a file of rules does outside of its rules does not end the proxy", async () => {
  await using folder = await tempFolder();
  await writeFile(
    folder.file("late.mjs"),
    `setTimeout(() => { throw new Error("thrown late"); }, 1);
setTimeout(() => Promise.reject(new Error("rejected late")), 1);
setInterval(() => {}, 1000);
export default [["http://a.test/*", (flow) => { flow.request.headers.set("x", "y"); }], ["*", "drop"]];`,
  );
  await using origin = await startOrigin();
  const script = `sleep 1; curl -s ${origin.url}/; exit 0`;
  const args = [
    "run",
    "--rules",
    "late.mjs",
    "--resolve",
    `a.test=127.0.0.1:${origin.port}`,
    "--",
    "sh",
    "-c",
    script.replace(origin.url, "http://a.test"),
  ];
  const { code, stdout, stderr } = await flowtape(args, { cwd: folder.path });
  expect(stdout).toBe("ok");
  expect(stderr).toContain("flowtape: not caught: thrown late\n");
  expect(stderr).toContain("flowtape: not caught: rejected late\n");
  expect(code).toBe(70);
}, LONG_MS);

test("a list of actions in JSON is a sequence", () => {
  const { rules } = optionsOfJson([["*", ["drop", { respond: { status: 204 } }]]]);
  expect(rules).toHaveLength(1);
  expect((rules as unknown as [string, { description: string }][])[0]![1].description).toMatch(/drop.*respond 204/);
});

test("progress is told on a terminal only, and leaves nothing behind", async () => {
  const lines: string[] = [];
  const terminal = (errors: boolean): Terminal => ({
    env: {},
    input: undefined as never,
    isTerminal: { input: errors, output: errors, errors },
    width: 40,
    write: () => {},
    tell: () => {},
    status: (line) => void lines.push(line),
    onSignal: () => () => {},
  });
  {
    using telling = progress(terminal(true), "reading");
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBeGreaterThan(0);
    telling.step(`reading ${"x".repeat(100)}`);
  }
  expect(lines[0]).toMatch(/^reading \(\d+ s\)$/);
  expect(lines.at(-2)).toHaveLength(39);
  expect(lines.at(-1)).toBe("");
  const before = lines.length;
  {
    using telling = progress(terminal(false), "reading");
    telling.step("more");
  }
  {
    using telling = progress(terminal(true), "done at once");
    telling.step("more");
  }
  expect(lines).toHaveLength(before);
});

test("what comes from the network does not steer the terminal", () => {
  expect(printable("a\x1b[31mb\x07\x9bc\td\r\ne\x7f")).toBe("a\\x1b[31mb\\x07\\x9bc\td\ne\\x7f");
});
