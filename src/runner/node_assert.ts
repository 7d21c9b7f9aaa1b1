/**
 * The assertions of flowtape as methods of `t.assert` of `node:test`, so that `t.plan()` counts them.
 *
 * @module
 */
import * as runner from "node:test";
import {
  assertMatchesRequest,
  assertNotReceived,
  assertNoUnmatched,
  assertReceived,
  assertReceivedInOrder,
  assertReceivedLast,
  assertReceivedNth,
  assertResponded,
  assertSentMessage,
  assertUsedWholeTape,
} from "../expect/mod.ts";

/** The assertions of flowtape, by the names that they have in `t.assert`. */
export interface FlowtapeAsserts {
  /** `assertReceived()` */
  readonly received: typeof assertReceived;
  /** `assertNotReceived()` */
  readonly notReceived: typeof assertNotReceived;
  /** `assertReceivedNth()` */
  readonly receivedNth: typeof assertReceivedNth;
  /** `assertReceivedLast()` */
  readonly receivedLast: typeof assertReceivedLast;
  /** `assertReceivedInOrder()` */
  readonly receivedInOrder: typeof assertReceivedInOrder;
  /** `assertNoUnmatched()` */
  readonly noUnmatched: typeof assertNoUnmatched;
  /** `assertUsedWholeTape()` */
  readonly usedWholeTape: typeof assertUsedWholeTape;
  /** `assertMatchesRequest()` */
  readonly matchesRequest: typeof assertMatchesRequest;
  /** `assertResponded()` */
  readonly responded: typeof assertResponded;
  /** `assertSentMessage()` */
  readonly sentMessage: typeof assertSentMessage;
}

const asserts: FlowtapeAsserts = {
  received: assertReceived,
  notReceived: assertNotReceived,
  receivedNth: assertReceivedNth,
  receivedLast: assertReceivedLast,
  receivedInOrder: assertReceivedInOrder,
  noUnmatched: assertNoUnmatched,
  usedWholeTape: assertUsedWholeTape,
  matchesRequest: assertMatchesRequest,
  responded: assertResponded,
  sentMessage: assertSentMessage,
};

/** Since Node 22.14. */
const { register } = (runner as { assert?: { register?: (name: string, assertion: unknown) => void } }).assert ?? {};

/** For every test of this process. Older versions of Node cannot do so: see {@linkcode withAsserts}. */
export function registerAsserts(): void {
  for (const [name, assertion] of Object.entries(asserts)) register?.(name, assertion);
}

/** Where they could not be registered, one test gets them; `t.plan()` does not count them then. */
export function withAsserts<T extends runner.TestContext>(t: T): T {
  if (register !== undefined) return t;
  return Object.defineProperty(t, "assert", {
    configurable: true,
    // Not before somebody asks: Node looks for a plan when it makes them.
    get: () => Object.assign(Reflect.get(Object.getPrototypeOf(t), "assert", t), asserts),
  });
}
