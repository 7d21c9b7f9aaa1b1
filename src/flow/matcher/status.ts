/**
 * The status of the response: `404`, `"4xx"`, `"500-504"`.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { describeValue } from "./describe.ts";
import { type Field, field } from "./field.ts";

/** A field for the status. A flow without a response has none. */
export function statusField(
  wanted: number | string,
  where: string,
  name: "status" | "response.status" = "status",
): Field {
  const [from, to] = rangeOf(wanted, where);
  return field(
    name,
    String(wanted),
    (_, { response }) => response !== undefined && response.status >= from && response.status <= to,
    (_, { response, error }) => response ? String(response.status) : error && `none (${error.code})`,
  );
}

function rangeOf(wanted: number | string, where: string): readonly [number, number] {
  const [, from, to = from, hundreds] = /^(?:(\d{3})(?:\s*-\s*(\d{3}))?|([1-9])xx)$/i.exec(String(wanted)) ?? [];
  if (hundreds !== undefined) return [Number(hundreds) * 100, Number(hundreds) * 100 + 99];
  if (from !== undefined && Number(from) <= Number(to)) return [Number(from), Number(to)];
  throw new OptionsError(
    `${where}: status ${describeValue(wanted)} is not valid: a number such as 404, a class such as "4xx" or a range ` +
      `such as "500-504" is accepted`,
  );
}
