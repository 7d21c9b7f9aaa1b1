/**
 * Was the whole tape used?
 *
 * @module
 */
import { textTable } from "../flow/set/text_table.ts";
import { redactUrl } from "../flow/sensitive.ts";
import { type Check, indented, outcome } from "./check.ts";
import { cleanerFor } from "./cleaner.ts";
import { type ReceivingProxy, unusedOf } from "./source.ts";

/** Lines on screens are few. */
const SHOWN = 20;

/** Whether every entry of the tape has answered a request. */
export function checkUsedWholeTape(proxy: Pick<ReceivingProxy, "unused">): Check {
  const unused = unusedOf(proxy);
  const { length } = unused;
  const pass = length === 0;
  return outcome({
    kind: "unused",
    pass,
    explain: () => {
      const cleaner = cleanerFor(proxy);
      if (pass) {
        const text = "expected entries of the tape that are not used\nall were used";
        return { expected: "at least 1 unused entry", actual: "none", sections: [{ text }] };
      }
      const rows = unused.slice(0, SHOWN).map((
        { index, method, url },
      ) => [String(index), method, cleaner.text(redactUrl(url))]);
      const table = textTable([["entry", "method", "url"], ...rows], {
        right: new Set([0]),
        shrink: { column: 2, width: 98, least: 24 },
      });
      const more = length - rows.length;
      if (more > 0) table.push(`and ${more} more`);
      return {
        expected: "no unused entry",
        actual: length === 1 ? "1 unused entry" : `${length} unused entries`,
        sections: [
          { text: `expected every entry of the tape to be used\n${length === 1 ? "1 was" : `${length} were`} not` },
          { text: `unused:\n${indented(table.join("\n"))}` },
        ],
      };
    },
  });
}
