/**
 * Options that several commands have.
 *
 * @module
 */
import type { Argument, Option } from "./command.ts";

/** Every command has it. */
export const HELP: Option = { name: "help", short: "h", kind: "flag", about: "Says what the command does." };

/** Every command has it that has something to say to machines. */
export const JSON_OPTION: Option = { name: "json", kind: "flag", about: "Writes JSON, for machines." };

/** Where the standard output stream is another program's. */
export const JSON_BESIDE: Option = {
  ...JSON_OPTION,
  about: "Writes JSON, for machines: the last line of the standard error stream.",
};

/** What stands behind `--`. */
export const PROGRAM: Argument = { name: "command", count: "command", about: "the command to run, with its arguments" };

/** The tape of a command that needs one. */
export const TAPE: Option = {
  name: "tape",
  short: "t",
  kind: "text",
  value: "file",
  fallback: "flowtape.har",
  about: "The tape.",
};

/** Of what starts a proxy. */
export const PROXY_OPTIONS: readonly Option[] = [
  {
    name: "rules",
    short: "r",
    kind: "text",
    value: "file",
    about: "A TypeScript, JavaScript or JSON file whose default export is a list of rules, or the options of a proxy.",
  },
  { name: "port", short: "p", kind: "number", value: "port", range: [0, 65535], about: "The port to listen on." },
  { name: "host", kind: "text", value: "address", fallback: "127.0.0.1", about: "The address to listen on." },
  {
    name: "ca-dir",
    kind: "text",
    value: "folder",
    about: "Uses the certificate authority in a folder; by default there is one for this run alone.",
  },
  {
    name: "upstream-ca",
    kind: "text",
    value: "file",
    many: true,
    about: "Trusts servers with certificates of this authority (PEM), too.",
  },
  { name: "insecure", short: "k", kind: "flag", about: "Takes any certificate of a server." },
  {
    name: "resolve",
    kind: "text",
    value: "name=host:port",
    many: true,
    about: "Where a name leads to, whatever DNS says; *.name is for all below it.",
  },
  {
    name: "upstream-proxy",
    kind: "text",
    value: "url",
    about: "Another proxy (http, https, socks5, socks4) on the way to the servers.",
  },
  {
    name: "passthrough",
    kind: "text",
    value: "host",
    many: true,
    about: "TLS with this host is relayed unread.",
  },
  { name: "report", kind: "text", value: "file", about: "Writes a report of all flows, an HTML page." },
  {
    name: "verbose",
    short: "v",
    kind: "count",
    about: "A line for each flow; twice: requests in full; three times: responses, too.",
  },
  { name: "quiet", short: "q", kind: "flag", about: "Says nothing but what is wrong." },
];

/** Of what runs a command behind a proxy. */
export const RUN_OPTIONS: readonly Option[] = [
  ...PROXY_OPTIONS.map((option) => option.name === "port" ? { ...option, fallback: "any free one" } : option),
  {
    name: "summary",
    kind: "text",
    value: "file",
    about: "Writes that line of JSON to a file.",
  },
];

/** The modes of a tape. */
export const MODE: Option = {
  name: "mode",
  short: "m",
  kind: "choice",
  choices: ["auto", "replay", "record", "once", "passthrough", "verify"],
  fallback: "auto",
  about: "How the tape is used.",
};

/** What is said about what ran behind a proxy. */
export const SUMMARY_MEMBERS: readonly string[] = [
  "command",
  "exitCode",
  "signal",
  "flows",
  "sources",
  "tape",
  "unmatched",
  "unused",
  "problems",
  "report",
];
