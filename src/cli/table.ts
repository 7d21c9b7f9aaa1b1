/**
 * The table of commands: help, completions and docs/cli.md are made of it.
 *
 * @module
 */
import type { Command, Option } from "./command.ts";
import {
  HELP,
  JSON_BESIDE,
  JSON_OPTION,
  MODE,
  PROGRAM,
  PROXY_OPTIONS,
  RUN_OPTIONS,
  SUMMARY_MEMBERS,
  TAPE,
} from "./options.ts";

/** The shells that completions are written for. */
export const SHELLS: readonly string[] = ["bash", "zsh", "fish"];

/** Every command, in the order of help. */
export const COMMANDS: readonly Command[] = [
  {
    name: "record",
    about: "runs a command and records its traffic on a tape",
    more: [
      "The command finds the proxy, and trusts its certificates, by environment variables. Its input and output are its own; what flowtape " +
      "says goes to the standard error stream.",
      "The tape is written when the command has ended, however it has.",
    ],
    arguments: [PROGRAM],
    options: [
      { ...TAPE, about: "The tape to write." },
      {
        name: "missing",
        kind: "flag",
        about:
          "Replays what is on the tape, and records only what is missing; with CI in the environment: replays only.",
      },
      { name: "times", kind: "flag", about: "Writes on the tape when and how fast the exchanges were." },
      { name: "only-on-success", kind: "flag", about: "Leaves the tape as it was when the command fails." },
      ...RUN_OPTIONS,
    ],
    examples: [
      ["flowtape record -- npm test", "the whole suite, on flowtape.har"],
      ["flowtape record --tape fixtures/user.har -- curl https://api.github.com/users/octocat", "one request"],
      ["flowtape record --missing --tape a.har -- python3 client.py", "adds what is not on the tape yet"],
    ],
    json: SUMMARY_MEMBERS,
    load: () => import("./commands/record.ts"),
  },
  {
    name: "replay",
    about: "runs a command and answers it from a tape, without the network",
    more: [
      "A request that nothing on the tape matches is answered with a 502 that explains why; then the exit code is 76 even when the command " +
      "itself ends well.",
    ],
    arguments: [PROGRAM],
    options: [
      { ...TAPE, about: "The tape to replay." },
      {
        name: "unused",
        kind: "choice",
        choices: ["ignore", "warn", "fail"],
        fallback: "ignore",
        about: "What becomes of entries that nothing asks for.",
      },
      {
        name: "latency",
        kind: "text",
        value: "none|recorded|factor",
        fallback: "none",
        about: "How fast: at once, as it was (for tapes with times), or so many times as slow.",
      },
      ...RUN_OPTIONS,
    ],
    examples: [
      ["flowtape replay -- npm test", "from flowtape.har"],
      ["flowtape replay --tape a.har --unused fail -- ./smoke.sh", "everything on the tape must be asked for"],
    ],
    json: SUMMARY_MEMBERS,
    load: () => import("./commands/replay.ts"),
  },
  {
    name: "run",
    about: "runs a command behind a proxy with rules from a file",
    more: [
      "A rule is [matcher, action]. In JSON an action is a word (forward, drop) or an object with the name of one: respond, edit, rewrite, " +
      "delay, fault, throttle, steps; a list of actions is a sequence.",
    ],
    arguments: [PROGRAM],
    options: [
      { name: "tape", short: "t", kind: "text", value: "file", about: "A tape for what no rule answers." },
      MODE,
      ...RUN_OPTIONS,
    ],
    examples: [
      [
        "flowtape run --rules rules.ts -- npm test",
        'export default [["GET https://api.test/*", respond({ status: 503 })]];',
      ],
      [
        "flowtape run --rules rules.json -- curl https://api.test/",
        '[["https://api.test/*", { "respond": { "json": { "id": 1 } } }]]',
      ],
      ["flowtape run --verbose -- git fetch", "watches the requests of a command"],
    ],
    json: SUMMARY_MEMBERS,
    load: () => import("./commands/run.ts"),
  },
  {
    name: "proxy",
    about: "a proxy that stands alone, until Ctrl-C",
    more: [
      "With --ask every flow that no rule decides about waits for you: f forward, d drop, c continue (forward all from now on), v view, " +
      "h headers, e edit in $EDITOR, n next; for a tunnel (CONNECT): b bypass (read along), l link (relay it unread).",
    ],
    arguments: [],
    options: [
      { name: "ask", short: "a", kind: "flag", about: "Asks about every request." },
      {
        name: "ask-on",
        kind: "choice",
        choices: ["request", "response", "connect"],
        many: true,
        about: "Asks about these.",
      },
      { name: "tape", short: "t", kind: "text", value: "file", about: "A tape." },
      MODE,
      ...PROXY_OPTIONS.map((option) => option.name === "port" ? { ...option, fallback: "8080" } : option),
    ],
    examples: [
      ["flowtape proxy", "says how to point clients at it, and shows a line for each flow"],
      ["flowtape proxy --ask", "asks about every request"],
      ["flowtape proxy --ask-on request --ask-on response --ask-on connect", "asks about everything"],
      [
        "flowtape proxy --ca-dir ~/.flowtape --tape today.har --mode record",
        "with an authority that clients trust already",
      ],
    ],
    json: ["type"],
    load: () => import("./commands/proxy.ts"),
  },
  {
    name: "view",
    about: "shows a tape, a HAR file or another recording",
    arguments: [{ name: "recording", count: "one", about: "a tape, a HAR file, or what convert reads" }],
    options: [
      {
        name: "output",
        short: "o",
        kind: "text",
        value: "file",
        fallback: "flowtape-report/<name>.html",
        about: "The page to write.",
      },
      { name: "open", kind: "flag", about: "Opens the page in the browser ($BROWSER, where it is set)." },
      { name: "text", kind: "flag", about: "Writes a table to the standard output stream instead." },
      {
        name: "filter",
        short: "f",
        kind: "text",
        value: "expression",
        about: "Only these flows, such as '~m POST & ~c 500'.",
      },
    ],
    examples: [
      ["flowtape view flowtape.har --open", "in the browser"],
      ["flowtape view trace.har --text --filter '~d api.test & !~c 200'", "in the terminal"],
    ],
    json: ["recording", "description", "flows", "report"],
    load: () => import("./commands/view.ts"),
  },
  {
    name: "convert",
    about: "makes a tape of another tool's recording, or something else of a tape",
    more: [
      "Reads HAR (Chrome, Firefox, Playwright, mitmproxy ...), Polly.js, nock, VCR, vcrpy, go-vcr, WireMock and Hoverfly; which it is, the " +
      "content says.",
    ],
    arguments: [
      { name: "from", count: "one", about: "the recording: a file, or a folder of WireMock" },
      { name: "to", count: "one", about: "the file to write" },
    ],
    options: [
      {
        name: "to",
        kind: "choice",
        choices: ["tape", "har", "msw"],
        fallback: "msw for .ts, .js and .mjs, else tape",
        about: "What to write: a tape, one HAR file with all bodies in it, or the source of MSW handlers.",
      },
      { name: "origin", kind: "text", value: "url", about: "Where the requests went, for recordings that do not say." },
      {
        name: "inexact",
        kind: "choice",
        choices: ["fail", "leave"],
        fallback: "fail",
        about: "What becomes of mappings that are for many requests.",
      },
      { name: "force", kind: "flag", about: "Writes over a file that is there." },
    ],
    examples: [
      ["flowtape convert cassettes/user.yaml fixtures/user.har", "VCR to a tape"],
      ["flowtape convert --to har fixtures/user.har for-the-viewer.har", "one file that every viewer reads"],
      ["flowtape convert fixtures/user.har test/handlers.ts", "the source of MSW handlers"],
    ],
    json: ["from", "description", "entries", "to", "format", "notes"],
    load: () => import("./commands/convert.ts"),
  },
  {
    name: "merge",
    about: "makes one tape of several, such as those of the shards of CI",
    arguments: [{ name: "tape", count: "some", about: "the tapes" }],
    options: [
      { name: "output", short: "o", kind: "text", value: "file", about: "The tape to write." },
      { name: "force", kind: "flag", about: "Writes over a tape that is there." },
    ],
    examples: [["flowtape merge shard-1.har shard-2.har --output all.har", "what is the same on both is there once"]],
    json: ["tapes", "read", "entries", "output"],
    load: () => import("./commands/merge.ts"),
  },
  {
    name: "scan",
    about: "looks for secrets in tapes and recordings; exits with 1 when there are any",
    arguments: [{ name: "path", count: "any", about: "files and folders; the current folder by default" }],
    options: [{ name: "allow", kind: "text", value: "value", many: true, about: "This value is no secret." }],
    examples: [["flowtape scan fixtures", "in CI, or before a commit"]],
    json: ["paths", "findings"],
    load: () => import("./commands/scan.ts"),
  },
  {
    name: "prune",
    about: "finds tapes that no test uses, and removes them",
    arguments: [{ name: "folder", count: "one", about: "where tapes are" }],
    options: [
      {
        name: "usage",
        kind: "text",
        value: "file",
        fallback: "$FLOWTAPE_USAGE",
        about: "The list of tapes that were used. Without one, only tapes of test files that are gone are found.",
      },
      { name: "remove", kind: "flag", about: "Removes them, with their bodies." },
    ],
    examples: [
      ["FLOWTAPE_USAGE=.tapes-used npm test", "notes which tapes are used"],
      ["flowtape prune test --usage .tapes-used", "says which were not"],
      ["flowtape prune test --usage .tapes-used --remove", "removes those"],
    ],
    json: ["folder", "unused", "removed"],
    load: () => import("./commands/prune.ts"),
  },
  {
    name: "stats",
    about: "says how many and how large tapes are",
    arguments: [{ name: "path", count: "any", about: "tapes and folders; the current folder by default" }],
    options: [],
    examples: [["flowtape stats test", "the largest first"]],
    json: ["tapes", "entries", "bytes", "saved", "hosts"],
    load: () => import("./commands/stats.ts"),
  },
  {
    name: "ca",
    about: "makes and shows a certificate authority that is kept",
    more: [
      "The folder is made when it is not there, with a key that nobody else can read; --ca-dir of the other commands uses it. Whoever has " +
      "that key can read the traffic of those who trust the certificate.",
    ],
    arguments: [],
    options: [
      {
        name: "dir",
        short: "d",
        kind: "text",
        value: "folder",
        fallback: "$FLOWTAPE_CA_DIR",
        about: "Where it is kept.",
      },
      {
        name: "format",
        kind: "choice",
        choices: ["hints", "pem", "p12", "fingerprint"],
        fallback: "hints",
        about:
          "What to show: how to install the certificate, the certificate itself (PEM, PKCS#12), its SHA-256 fingerprint.",
      },
      { name: "output", short: "o", kind: "text", value: "file", about: "Writes it to a file; PKCS#12 needs one." },
      {
        name: "password",
        kind: "text",
        value: "text",
        fallback: "changeit",
        about: "Of the PKCS#12 file, which holds the certificate and no key.",
      },
    ],
    examples: [
      ["flowtape ca --dir ~/.flowtape", "makes one, and says how to install it"],
      ["flowtape ca --dir ~/.flowtape --format pem > ca.pem", "the certificate"],
      ["flowtape ca --dir ~/.flowtape --format p12 --output trust.p12", "a trust store, for Java and Windows"],
    ],
    json: ["dir", "path", "cert", "fingerprint", "subject", "notBefore", "notAfter", "spki"],
    load: () => import("./commands/ca.ts"),
  },
  {
    name: "completions",
    about: "completions for a shell",
    arguments: [{ name: "shell", count: "one", choices: SHELLS, about: "bash, zsh or fish" }],
    options: [],
    examples: [
      ["source <(flowtape completions bash)", "in ~/.bashrc"],
      ["source <(flowtape completions zsh)", "in ~/.zshrc, behind compinit"],
      ["flowtape completions fish | source", "in ~/.config/fish/config.fish"],
    ],
    load: () => import("./commands/completions.ts"),
  },
  {
    name: "help",
    about: "says what a command does, with examples",
    arguments: [{ name: "command", count: "optional", about: "the command" }],
    options: [],
    examples: [["flowtape help record", "about one command"]],
    load: () => import("./commands/help.ts"),
  },
];

/** The options of a command, with those that every command has. */
export function optionsOf(command: Command): readonly Option[] {
  const json = command.json === undefined ? [] : [isRunner(command) ? JSON_BESIDE : JSON_OPTION];
  return [...command.options, ...json, HELP];
}

/** Whether a command runs another program, to which the standard output stream then belongs. */
export function isRunner(command: Command): boolean {
  return command.arguments.some(({ count }) => count === "command");
}

/** The command of this name. */
export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
