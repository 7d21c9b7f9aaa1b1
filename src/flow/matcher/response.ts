/**
 * The response of a flow, described by some of its parts.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { didYouMean } from "../suggest.ts";
import { bodyField, jsonField } from "./body.ts";
import { checkBody, checkRecord } from "./check_part.ts";
import { describeValue, isRegExp } from "./describe.ts";
import type { Field } from "./field.ts";
import { recordFields } from "./record.ts";
import { missing, RESPONSE } from "./side.ts";
import { statusField } from "./status.ts";
import type { ResponseShape } from "./types.ts";
import { found } from "./value.ts";

/**
 * The fields of a response that are wanted; that there is one, when none is.
 *
 * @throws {OptionsError} a part is not known, or not of the right form
 */
export function responseFields(shape: ResponseShape, where: string): Field[] {
  if (typeof shape !== "object" || shape === null || Array.isArray(shape) || isRegExp(shape)) {
    throw new OptionsError(
      `${where}: the response ${describeValue(shape)} is not valid: { ${PARTS.join(", ")} } is accepted`,
    );
  }
  for (const key of Object.keys(shape)) {
    if (PARTS.includes(key)) continue;
    throw new OptionsError(
      `${where}: ${JSON.stringify(key)} is not a part of a response${didYouMean(key, PARTS)} (${
        PARTS.join(", ")
      } are accepted)`,
    );
  }
  const { status, reason, headers, cookies, body, json } = shape;
  const fields = [
    ...(status === undefined ? [] : [statusField(status, where, "response.status")]),
    ...(reason === undefined ? [] : [reasonField(reason)]),
    ...(headers === undefined ? [] : recordFields("headers", checkRecord(headers, "headers", where), where, RESPONSE)),
    ...(cookies === undefined ? [] : recordFields("cookies", checkRecord(cookies, "cookies", where), where, RESPONSE)),
    ...(body === undefined ? [] : [bodyField(checkBody(body, where), RESPONSE)]),
    ...(json === undefined ? [] : [jsonField(json, RESPONSE)]),
  ];
  return fields.length > 0 ? fields : [ANY];
}

const PARTS: readonly string[] = [
  "status",
  "reason",
  "headers",
  "cookies",
  "body",
  "json",
] satisfies (keyof ResponseShape)[];

/** Any response at all. */
const ANY: Field = {
  matches: ({ response }) => response !== undefined,
  compare: (flow) => [{
    field: "response",
    expected: "any",
    actual: flow.response === undefined ? missing(flow) : String(flow.response.status),
    matches: flow.response !== undefined,
  }],
};

function reasonField(wanted: string | RegExp): Field {
  const fits = (reason: string) => isRegExp(wanted) ? found(wanted, reason) : wanted === reason;
  return {
    matches: ({ response }) => response !== undefined && fits(response.reason),
    compare: (flow) => [{
      field: "response.reason",
      expected: describeValue(wanted),
      actual: flow.response === undefined ? missing(flow) : describeValue(flow.response.reason),
      matches: flow.response !== undefined && fits(flow.response.reason),
    }],
  };
}
