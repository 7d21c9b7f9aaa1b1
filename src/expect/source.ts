/**
 * What assertions look at.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { FlowSet } from "../flow/flow_set.ts";

/** A proxy, as far as an assertion needs it. */
export interface ReceivingProxy {
  /** Everything that passed. */
  readonly flows: FlowSet;
  /** What nothing on the tape matched. */
  readonly unmatched: FlowSet;
}

/** What an assertion looks at: a proxy, or flows that were picked already. */
export type Source = FlowSet | Pick<ReceivingProxy, "flows">;

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
