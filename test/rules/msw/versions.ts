/**
 * Both majors of MSW, for `describe.each(VERSIONS)`.
 *
 * @module
 */
import "./quiet.ts";
import * as msw3 from "msw";
import * as msw2 from "msw2";

// sse() refuses to be called where there is no EventSource, although it only needs to be there: Node and Bun have none.
(globalThis as { EventSource?: unknown }).EventSource ??= class {};

/** What is the same in both, as far as it is used here. */
export type Msw = Pick<
  typeof msw3,
  "bypass" | "delay" | "http" | "HttpResponse" | "passthrough" | "sse" | "ws"
>;

export const VERSIONS: readonly (readonly [name: string, msw: Msw])[] = [
  ["MSW 3", msw3],
  ["MSW 2", msw2 as unknown as Msw],
];
