/**
 * A rule as the engine uses it.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import type { FlowSet } from "../flow/flow_set.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Exact } from "../flow/matcher/exact.ts";
import type { Comparison, MatchKey } from "../flow/matcher/types.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Plan, Work } from "./action.ts";
import type { MswWebSocketHandlerLike } from "./msw/handler.ts";

/** A rule in its one inner form. */
export interface Rule {
  /** Where it stands, such as `rules[3]`. */
  readonly place: string;
  /** Its name, or what it matches, in one line. */
  readonly description: string;
  /** Rules of a higher priority come first; 0 when it is missing. */
  readonly priority?: number;
  /** What every request that it matches has in common. */
  readonly key?: MatchKey;
  /** What it does when the index of rules alone can say that it matches: it matches whatever has these parts. */
  readonly exact?: { readonly parts: Readonly<Exact>; readonly plan: Plan };
  /** Where the flows that it takes are kept, when somebody wants them. */
  readonly calls?: Pick<FlowSet, "append">;
  /** Whether it is tried at all; a rule without it always is. */
  isEnabled?(): boolean;
  /**
   * Says what to do with a flow, `undefined` when the rule does not match. Throws `BodyIncompleteError` when that cannot
   * be said before the request is complete.
   *
   * @param rules the whole list, for rules that act together
   */
  attempt(flow: HttpFlow, rules?: readonly Rule[]): Work | undefined | Promise<Work | undefined>;
  /** The same for a CONNECT; only rules that want to be asked about tunnels have it. */
  attemptConnect?(flow: HttpFlow): Work | undefined;
  /** The same for a raw conversation; only rules that are about them have it. */
  attemptTcp?(flow: TcpFlow): Work | undefined;
  /** The MSW handler of WebSockets that it is. */
  readonly webSocket?: MswWebSocketHandlerLike;
  /** Part by part, why it says yes or no to a request; not every rule knows. */
  compare?(flow: HttpFlow): Comparison[];
  /** Forgets what has been, when the state is not the engine's own. */
  restore?(): void;
}

/** What a rule, its matcher or its action threw, with the rule's place. */
export function ruleError(rule: Pick<Rule, "place" | "description">, cause: unknown): FlowtapeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FlowtapeError("RULE_FAILED", `${rule.place} (${rule.description}): ${why}`, { cause });
}
