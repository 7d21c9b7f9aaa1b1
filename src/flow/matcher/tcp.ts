/**
 * A matcher for conversations of raw bytes, which no other form of a matcher accepts.
 *
 * @module
 */
import { parseAuthority } from "../authority.ts";
import { OptionsError } from "../error.ts";
import type { TcpFlow } from "../tcp_flow.ts";
import { describeFunction } from "./describe.ts";
import { globPattern } from "./text_pattern.ts";
import type { CompiledMatcher } from "./types.ts";

/**
 * Matches TCP flows: all of them, those with a server (`host`, `host:port`, `*.name`), or those of which a function says so. For
 * `waitFor`, `flows.filter`, assertions, and rules: of all rules only those with `tcp()` apply to raw conversations, and what they
 * can do is `"forward"`, `"drop"`, `delay()`, `throttle()` and `fault()`.
 *
 * @example
 * ```ts
 * import { FlowSet, tcp } from "flowtape";
 *
 * const flows = new FlowSet();
 * flows.filter(tcp("db.test:5432")).length; // 0
 * flows.filter(tcp((flow) => flow.bytes.server > 1000)).length; // 0
 * const rules = [[tcp("db.test"), "forward"], [tcp(), "drop"]];
 * ```
 *
 * @throws {OptionsError} a server that is none
 */
export function tcp(which?: string | ((flow: TcpFlow) => boolean)): CompiledMatcher {
  if (which === undefined) return matching("tcp()", () => true);
  if (typeof which === "function") return matching(`tcp(${describeFunction(which)})`, which);
  const server = typeof which === "string" ? parseAuthority(which, 0) : undefined;
  if (server === undefined) {
    throw new OptionsError(
      `the argument of tcp() is ${JSON.stringify(which)}: "host", "host:port" or a function is accepted`,
    );
  }
  const { test } = globPattern(server.hostname);
  return matching(
    `tcp(${which})`,
    ({ hostname, port }) => test(hostname) && (server.port === 0 || server.port === port),
  );
}

function matching(description: string, accepts: (flow: TcpFlow) => boolean): CompiledMatcher {
  return { description, tcp: true, matches: (flow) => flow.type === "tcp" && Boolean(accepts(flow)) };
}
