/**
 * A rule as the engine uses it.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import type { FlowSet } from "../flow/flow_set.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { MatchKey } from "../flow/matcher/types.ts";
import type { Work } from "./action.ts";

/** A rule in its one inner form. */
export interface Rule {
  /** Where it stands, such as `rules[3]`. */
  readonly place: string;
  /** What it matches, in one line. */
  readonly description: string;
  /** What every request that it matches has in common. */
  readonly key?: MatchKey;
  /** Where the flows that it takes are kept, when somebody wants them. */
  readonly calls?: FlowSet;
  /**
   * Says what to do with a flow, `undefined` when the rule does not match. Throws `BodyIncompleteError` when that cannot
   * be said before the request is complete.
   */
  attempt(flow: HttpFlow): Work | undefined | Promise<Work | undefined>;
  /** Forgets what has been, when the state is not the engine's own. */
  restore?(): void;
}

/** What a rule, its matcher or its action threw, with the rule's place. */
export function ruleError(rule: Pick<Rule, "place" | "description">, cause: unknown): FlowtapeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FlowtapeError("RULE_FAILED", `${rule.place} (${rule.description}): ${why}`, { cause });
}
