/**
 * What went wrong in a hook, in words: the addon, the hook, the flow.
 *
 * @module
 */
import { HookError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { redactUrl } from "../flow/sensitive.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Addon } from "./addon.ts";
import type { HookName } from "./table.ts";

/** The error of a hook that threw. */
export function hookError(addon: Addon, hook: HookName, cause: unknown, subject?: unknown): HookError {
  const where = isHttpFlow(subject)
    ? ` for ${nameOfFlow(subject)}`
    : isTcpFlow(subject)
    ? ` for TCP ${subject.hostname}:${subject.port}`
    : "";
  const message = `hook ${hook} of addon ${nameOf(addon)} threw${where}: ${textOf(cause)}`;
  return new HookError("HOOK_FAILED", message, { cause });
}

/** What a hook has left behind cannot be sent. */
export function leftoverError(cause: unknown, flow: HttpFlow | TcpFlow): HookError {
  const message = `${nameOfFlow(flow)} cannot go on as its addons left it: ${textOf(cause)}`;
  return new HookError("HOOK_FAILED", message, { cause });
}

function nameOfFlow(flow: HttpFlow | TcpFlow): string {
  if (flow.type === "tcp") return `TCP ${flow.hostname}:${flow.port}`;
  try {
    return `${flow.request.method} ${redactUrl(flow.request.url)}`;
  } catch {
    // An addon may have put anything in the place of the request.
    return flow.id;
  }
}

/** Anything can be thrown, also what cannot be made text. */
function textOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : typeof cause === "string" ? cause : describeValue(cause);
  } catch {
    return "something that cannot be shown";
  }
}

/** What an addon is called in messages. */
export function nameOf(addon: Addon): string {
  return JSON.stringify(addon.name ?? (addon.constructor === Object ? "unnamed" : addon.constructor.name));
}

/** Whether a hook is about an HTTP flow. */
export function isHttpFlow(value: unknown): value is HttpFlow {
  return typeof value === "object" && value !== null && (value as HttpFlow).type === "http";
}

function isTcpFlow(value: unknown): value is TcpFlow {
  return typeof value === "object" && value !== null && (value as TcpFlow).type === "tcp";
}
