/**
 * Options that change while the proxy is open.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { checkProxyOptions } from "./check_options.ts";
import type { ProxyOptions } from "./proxy_options.ts";
import { isRecord } from "./schema.ts";

/** Which options can change; of the others, why they cannot. */
const CHANGEABLE: Readonly<Record<keyof ProxyOptions, true | string>> = {
  host: "the proxy listens already, and its clients know where",
  port: "the proxy listens already, and its clients know where",
  tape: "the tape is open, and what has passed is on it",
  rules: true,
  defaultAction: true,
  addons: "they have started. proxy.use() adds others, and its handle takes those away",
  https: true,
  upstream: true,
  auth: true,
  app: true,
  reverse: true,
  capture: true,
  timeouts: true,
  limits: true,
  verbose: true,
  preFunction: true,
  forwardChunked: true,
  persistent: true,
  alerter: true,
  signal: "the proxy listens to the one it was started with",
};

/** The same for members of options. */
const FIXED_MEMBERS: Readonly<Record<string, string>> = {
  "https.ca": "clients have been told to trust the authority there is",
  "https.keyLogFile": "the file is open",
  "capture.maxFlows": "proxy.flows is as large as it is",
};

/** Options whose members change one by one. */
const GROUPS: ReadonlySet<string> = new Set(["https", "upstream", "capture", "timeouts", "limits"]);

/** What a change comes to. */
export interface Change {
  /** All options, as if the proxy had been started with them. */
  readonly options: ProxyOptions;
  /** The names of those that are others than before. */
  readonly updated: ReadonlySet<string>;
}

/**
 * Options with some of them changed. A group such as `timeouts` keeps the members that are not given; `undefined` means the default.
 *
 * @throws {OptionsError} one is not accepted, or cannot change: nothing has changed
 */
export function changeOptions(before: ProxyOptions, changed: ProxyOptions): Change {
  checkProxyOptions(changed, "");
  const options: Record<string, unknown> = { ...before };
  const updated = new Set<string>();
  for (const [name, value] of Object.entries(changed)) {
    const old: unknown = options[name];
    if (GROUPS.has(name) && isRecord(value)) {
      const members = { ...(isRecord(old) ? old : {}), ...value };
      const others = Object.keys(value).filter((member) =>
        !Object.is(members[member], (old as typeof members)?.[member])
      );
      for (const member of others) refuseFixed(FIXED_MEMBERS[`${name}.${member}`], `${name}.${member}`);
      if (others.length === 0) continue;
      options[name] = members;
    } else {
      if (Object.is(value, old)) continue;
      refuseFixed(CHANGEABLE[name as keyof ProxyOptions], name);
      for (const member of Object.keys(isRecord(old) ? old : {})) {
        refuseFixed(FIXED_MEMBERS[`${name}.${member}`], `${name}.${member}`);
      }
      options[name] = value;
    }
    updated.add(name);
  }
  // Members that are right by themselves may not go together: a proxy and a PAC file.
  checkProxyOptions(options, "");
  return { options: options as ProxyOptions, updated };
}

function refuseFixed(why: true | string | undefined, place: string): void {
  if (typeof why !== "string") return;
  throw new OptionsError(`option ${place} cannot change while the proxy is open: ${why}. Start another proxy with it`);
}
