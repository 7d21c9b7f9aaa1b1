/**
 * What assertions look at.
 *
 * @module
 */
import { AssertionError } from "node:assert";
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { FlowSet } from "../flow/flow_set.ts";
import type { TapeEntry } from "../tape/entry.ts";

/** A proxy, as far as an assertion needs it. */
export interface ReceivingProxy {
  /** Everything that passed. */
  readonly flows: FlowSet;
  /** What nothing on the tape matched. */
  readonly unmatched: FlowSet;
  /** The entries of the tape that no request has matched. */
  readonly unused: readonly TapeEntry[];
}

/** What an assertion looks at: a proxy, or flows that were picked already. */
export type Source = FlowSet | Pick<ReceivingProxy, "flows">;

/** One flow; `undefined` so that `proxy.flows.first()` can be given as it is: an assertion fails when there is none. */
export type GivenFlow = Flow | undefined;

/** The flows of a source. */
export function flowsOf(source: Source): FlowSet {
  if (source instanceof FlowSet) return source;
  const flows: unknown = (source as Partial<ReceivingProxy> | null | undefined)?.flows;
  if (flows instanceof FlowSet) return flows;
  throw new OptionsError(
    `a proxy or a FlowSet is wanted, such as expect(proxy) or expect(proxy.flows), not ${typeof source}`,
  );
}

/** The requests of a proxy that nothing matched. */
export function unmatchedOf(proxy: Pick<ReceivingProxy, "unmatched">): FlowSet {
  const unmatched: unknown = (proxy as Partial<ReceivingProxy> | null | undefined)?.unmatched;
  if (unmatched instanceof FlowSet) return unmatched;
  throw new OptionsError(`a proxy is wanted, such as expect(proxy), not ${typeof proxy}`);
}

/** The entries of the tape that no request has matched. */
export function unusedOf(proxy: Pick<ReceivingProxy, "unused">): readonly TapeEntry[] {
  const unused: unknown = (proxy as Partial<ReceivingProxy> | null | undefined)?.unused;
  if (Array.isArray(unused)) return unused as TapeEntry[];
  throw new OptionsError(`a proxy is wanted, such as expect(proxy), not ${typeof proxy}`);
}

/**
 * The flow that was given.
 *
 * @param what what is wanted of it, such as `to match /orders`
 * @throws {AssertionError} there is none: then neither an assertion nor its opposite holds
 * @throws {OptionsError} it is something else
 */
export function flowOf(given: GivenFlow, what: string): Flow {
  const type: unknown = (given as Partial<Flow> | null | undefined)?.type;
  if (type === "http" || type === "tcp") return given!;
  if (given === undefined) {
    throw new AssertionError({
      message: `expected a flow ${what}\nreceived undefined: there was no such flow`,
      actual: undefined,
      expected: `a flow ${what}`,
      operator: "flow",
    });
  }
  throw new OptionsError(
    `a flow is wanted, such as proxy.flows.last(), not ${
      (given as unknown) instanceof FlowSet ? "a FlowSet" : `a value of type ${typeof given}`
    }`,
  );
}
