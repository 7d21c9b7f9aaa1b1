/**
 * A rule for a request, as it is written in code.
 *
 * @module
 */
import type { FlowRequest } from "../flow/request.ts";
import { redactUrl } from "../flow/sensitive.ts";

/**
 * A rule that would answer a request, to paste into `rules: [...]` or `proxy.use(...)`: what it answers is for whoever pastes it to say.
 * The query is left out, and so are the origin of a server on this machine, whose port is another one each time, and what is secret.
 */
export function ruleLine({ method, url, path, hostname, scheme }: FlowRequest): string {
  const action = scheme.startsWith("ws") ? "respondWebSocket(() => {})" : "respond({ json: {} })";
  return `[${matcherOf({ method, path, hostname, url: redactUrl(url) })}, ${action}]`;
}

type Place = Pick<FlowRequest, "method" | "url" | "path" | "hostname">;

function matcherOf({ method, url, path, hostname }: Place): string {
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  const start = isLocal ? path : url.split("?", 1)[0]!;
  // Methods of a matcher are in upper case, and in a pattern these signs mean something else, or nothing at all.
  const isPlain = /^[A-Z][A-Z0-9_-]*$/.test(method);
  if (/[{}\\]/.test(start) || !isPlain) {
    return `{ ${isPlain ? `method: ${JSON.stringify(method)}, ` : ""}path: /^${
      path.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
    }$/ }`;
  }
  const plain = start.replace(/(?<=[^:/]\/.*)[*]|(?<=\/):(?=[A-Za-z_])/g, "\\$&");
  return JSON.stringify(`${method} ${plain.replace(/\[redacted\]/g, "*")}`);
}
