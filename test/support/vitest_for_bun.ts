/**
 * Preloaded by `bun test`, which serves its own "bun:test" as "vitest": adds the few names that Bun's `test` and `expect` lack.
 *
 * @module
 */

import { describe, expect, it, test } from "vitest";
import { pollWith } from "./poll.ts";

for (const define of [test, it, describe]) Object.assign(define, { runIf: Reflect.get(define, "if") });
Object.assign(expect, { poll: pollWith(expect) });
