// What is wrong on the command line is said in one message, with what was meant.
import { describe, expect, test } from "vitest";
import { within } from "./cli.ts";

const CASES: [line: string, message: string][] = [
  ["rplay", 'flowtape does not know the command "rplay"; did you mean flowtape replay?'],
  ["import a.json", 'does not know the command "import"; did you mean flowtape convert?'],
  ["xyzzy", 'does not know the command "xyzzy"; there are record, replay, run, proxy, view'],
  ["--tape a.har", "flowtape does not know --tape: a command is expected first"],
  ["replay --tpe a.har -- true", "flowtape replay does not know --tpe; did you mean --tape?"],
  ["replay --TAPE=a.har -- true", "flowtape replay does not know --TAPE; did you mean --tape?"],
  ["replay --late none -- true", "flowtape replay does not know --late; did you mean --latency?"],
  ["record --watch -- vitest", "flowtape record does not know --watch; options of the command to run stand behind --"],
  ["record -x -- true", "flowtape record does not know -x"],
  ["record", "the command to run is missing; it stands behind --: flowtape record -- npm test"],
  ["record --tape a.har", "the command to run is missing"],
  ["record --tape a.har --", "the command to run is missing"],
  ["replay a.har -- true", 'flowtape replay takes no "a.har" in front of --; did you mean --tape a.har?'],
  ["run rules.json -- true", 'flowtape run takes no "rules.json" in front of --; did you mean --rules rules.json?'],
  ["record --tape --json -- true", "--tape needs <file> behind it, and --json looks like an option"],
  ["record --tape= -- true", "--tape needs <file> behind it"],
  ["record --tape", "--tape needs <file> behind it"],
  ["record --tape a.har --tape b.har -- true", "--tape was given twice"],
  ["record --quiet=yes -- true", '--quiet takes no value, and was given "yes"'],
  ["record --port 80a -- true", '--port takes a whole number from 0 to 65535, not "80a"'],
  ["record --port 65536 -- true", "--port takes a whole number from 0 to 65535"],
  ["replay --unused fial -- true", '--unused takes ignore, warn, fail, not "fial"; did you mean "fail"?'],
  [
    "replay --latency fast --tape test/cli/cli.ts -- true",
    '--latency takes none, recorded or a factor such as 0.5, not "fast"',
  ],
  ["run --mode recrod -- true", 'did you mean "record"?'],
  ["run --resolve api.test -- true", '--resolve takes name=host:port, not "api.test"'],
  ["proxy npm test", 'flowtape proxy does not take "npm"; it takes options only'],
  ["proxy --ask-on requests", 'did you mean "request"?'],
  ["view", "flowtape view: <recording> is missing: a tape, a HAR file, or what convert reads"],
  ["view a.har b.har", 'flowtape view does not take "b.har" behind <recording>'],
  ["view test/cli/cli.ts --filter ~z", "~z"],
  ["convert a.har", "flowtape convert: <to> is missing: the file to write"],
  ["convert a.yaml b.yaml", "flowtape convert: a tape is a .har file, and b.yaml is none"],
  ["merge a.har b.har", "flowtape merge: --output is missing"],
  ["merge", "flowtape merge: <tape> is missing"],
  ["prune", "flowtape prune: <folder> is missing"],
  ["ca", "flowtape ca: --dir is missing"],
  ["ca --dir x --format p12", "flowtape ca: --format p12 needs --output <file>"],
  ["completions", "flowtape completions: <shell> is missing"],
  ["completions fihs", 'flowtape completions takes bash, zsh, fish, not "fihs"; did you mean "fish"?'],
  ["help recrod", 'flowtape does not know the command "recrod"; did you mean "record"?'],
];

describe("a bad argument says what was meant, and exits with 2", () => {
  test.each(CASES)("%s", async (line, message) => {
    const { code, stdout, stderr } = await within(line.split(" "));
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^flowtape/);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code).toBe(2);
    expect(stdout).toBe("");
  });

  test("the message ends with where to read on", async () => {
    expect((await within(["merge"])).stderr).toMatch(/\nflowtape help merge says more\n$/);
    expect((await within(["xyzzy"])).stderr).toMatch(/\nflowtape help says more\n$/);
  });

  test("machines get it as JSON, too", async () => {
    const { stdout, stderr, code } = await within(["stats", "--json", "--colour"]);
    expect(code).toBe(2);
    expect(stderr).toContain("--colour");
    expect(JSON.parse(stdout)).toEqual({
      error: { code: "USAGE", exitCode: 2, message: expect.stringContaining("does not know --colour") },
    });
  });

  test("no command at all is answered with the list of them", async () => {
    const { code, stdout, stderr } = await within([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("usage: flowtape <command>");
  });
});
