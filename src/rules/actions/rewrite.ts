/**
 * The action `rewrite()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeFunction, describeValue } from "../../flow/matcher/describe.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { redactUrl } from "../../flow/sensitive.ts";
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";
import { checkObject } from "../check.ts";

/** How {@linkcode rewrite} does it. */
export interface RewriteOptions {
  /**
   * The `Host` header: `"follow"` (the default) names the new server, `"keep"` still names the one that the client asked for, as a
   * server with virtual hosts behind a load balancer wants it.
   */
  host?: "follow" | "keep";
}

/** Where a flow goes: an absolute URL, or a path on the server that it goes to anyway. */
export type RewriteTarget = string | URL;

/**
 * Sends the request elsewhere; the client does not notice. `flow.request.originalUrl` keeps what it asked for.
 *
 * | `to` | a request for `/a/b?q=1` goes to |
 * |---|---|
 * | `"http://127.0.0.1:4000"`, with or without a `/` at the end | `/a/b?q=1` there |
 * | `"http://127.0.0.1:4000/v2/*"`: a `*` stands for the path that was asked for | `/v2/a/b?q=1` there |
 * | `"http://127.0.0.1:4000/other"` | `/other?q=1` there |
 * | `"http://127.0.0.1:4000/other?x=2"` | `/other?x=2` there |
 * | `"/other"` | `/other?q=1` of the same server |
 * | a function of the flow: what it returns is meant as it stands, but for a URL without a path | |
 *
 * @param to where the flow goes; from `https` to `http` and the other way round, too
 *
 * @example
 * ```ts
 * import { rewrite, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["https://api.shop.test/*", rewrite("http://127.0.0.1:4000")],
 *     ["https://cdn.test/v1/*", rewrite((flow) => flow.request.url.replace("/v1/", "/v2/"), { host: "keep" })],
 *   ],
 * });
 * ```
 */
export function rewrite(
  to: RewriteTarget | ((flow: HttpFlow) => RewriteTarget),
  options: RewriteOptions = {},
): ActionFunction {
  checkObject(options, ["host"], "the options of rewrite()");
  const { host = "follow" } = options as RewriteOptions;
  if (host !== "follow" && host !== "keep") {
    throw new OptionsError(`host of rewrite() is ${describeValue(host)}: "follow" or "keep" is accepted`);
  }
  if (typeof to !== "function") checkTarget(to);
  const shown = typeof to === "function" ? describeFunction(to) : redactUrl(String(to));
  return defineAction(() =>
    constantPlan(`rewrite to ${shown}`, {
      // A function may look at anything.
      needsBody: typeof to === "function",
      run(flow) {
        if (typeof to !== "function") return redirect(flow.request, String(to), { host, query: "kept" });
        const returned = to(flow);
        checkTarget(returned);
        redirect(flow.request, String(returned), { host, query: "as returned" });
      },
    })
  );
}

interface Manner {
  readonly host: "follow" | "keep";
  readonly query: "kept" | "as returned";
}

/** Sends a request to a URL. Path and query stay as they were on the wire, where they stay: a `URL` spells some characters otherwise. */
function redirect(request: FlowRequest, to: string, { host, query }: Manner): void {
  const [, path = "", search = ""] = /^([^?]*)(.*)$/s.exec(request.target)!;
  const url = new URL(to, request.url);
  const hasPath = to.startsWith("/") || url.pathname !== "/" || url.search !== "";
  let target = request.target;
  if (hasPath && query === "as returned") target = url.pathname + url.search;
  else if (hasPath) {
    const asked = path === "*" ? "/" : path;
    target = (url.pathname.endsWith("/*") ? url.pathname.slice(0, -2) + asked : url.pathname) + (url.search || search);
  }
  const before = request.host;
  // Whether it is a WebSocket is said by the request, not by the scheme.
  request.url = url.origin.replace(/^ws/, "http");
  request.target = target;
  if (host === "keep") request.host = before;
}

function checkTarget(to: unknown): void {
  const text = typeof to === "string" || to instanceof URL ? String(to) : undefined;
  const url = text === undefined ? null : URL.parse(text, "http://relative.invalid");
  const absolute = text !== undefined && /^(?:https?|wss?):\/\//i.test(text);
  if (url !== null && (absolute || /^\/(?!\/)/.test(text!))) return;
  const what = text === undefined ? describeValue(to) : JSON.stringify(redactUrl(text));
  throw new OptionsError(
    `rewrite() goes to an absolute URL such as "http://127.0.0.1:4000", or to a path such as "/other", not to ${what}`,
  );
}
