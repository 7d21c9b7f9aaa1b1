/**
 * The option with which differences between two requests would not count.
 *
 * @module
 */
import type { Comparison } from "../../flow/matcher/types.ts";
import type { BodyForm, MatchOptions, OriginPart } from "./match_options.ts";

/**
 * The option as it is written in code, together with what is given already; `undefined` when there is none.
 *
 * @param match what is given already
 * @param equalAs whether the bodies are equal when they are compared as this
 */
export function optionFor(
  differences: readonly Comparison[],
  match: MatchOptions,
  equalAs: (form: BodyForm) => boolean,
): string | undefined {
  const members: string[] = [];
  const origin: OriginPart[] = [];
  const query: string[] = [];
  const headers: string[] = [];
  const body: string[] = [];
  let wholeBody = false;
  for (const difference of differences) {
    const { field } = difference;
    if (field === "method") members.push("method: false");
    else if (field === "scheme" || field === "host" || field === "port") origin.push(field);
    else if (field === "path") {
      const normalize = pathNormalizer(difference);
      if (normalize === undefined || match.normalize !== undefined) return undefined;
      members.push(`normalize: ${normalize}`);
    } else if (field.startsWith("query.")) query.push(field.slice("query.".length));
    else if (field.startsWith("headers.")) headers.push(field.slice("headers.".length));
    else if (/^json[.[]/.test(field)) body.push(`$${field.slice("json".length).replace(/\.length$/, "")}`);
    else if (field.startsWith("form.")) body.push(field.slice("form.".length));
    else wholeBody = true;
  }
  // Another server altogether is another request.
  if (origin.includes("host") && differences.some(({ field }) => field === "path" || field === "method")) {
    return undefined;
  }
  if (origin.length > 0) members.push(`origin: ${ignoring([...ignoredIn(match.origin), ...origin])}`);
  if (query.length > 0) members.push(`query: ${ignoring([...ignoredIn(match.query), ...query])}`);
  if (headers.length > 0) members.push(`headers: ${headersWithout(headers, match.headers ?? [])}`);
  if (wholeBody) members.push(`body: ${wholeBodyOption(match, equalAs)}`);
  else if (body.length > 0) {
    const as = typeof match.body === "object" && match.body.as !== undefined ? `as: "${match.body.as}", ` : "";
    members.push(`body: { ${as}ignore: ${list([...ignoredIn(match.body), ...body])} }`);
  }
  return members.length === 0 ? undefined : `{ ${members.join(", ")} }`;
}

/** Puts one word in the place of identifiers that are made anew, when only they differ. */
function pathNormalizer({ expected, actual = "" }: Comparison): string | undefined {
  const [a, b] = [expected.split("/"), actual.split("/")];
  if (a.length !== b.length) return undefined;
  const differing = a.flatMap((segment, i) => segment === b[i] ? [] : [[segment, b[i]!] as const]);
  const kind = GENERATED.find(({ test }) => differing.every(([x, y]) => test.test(x) && test.test(y)));
  return kind && `(request) => void (request.path = request.path.replace(${kind.replace}, "/:id"))`;
}

/** Identifiers that nobody chooses twice. */
const GENERATED: readonly { readonly test: RegExp; readonly replace: string }[] = [
  { test: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, replace: "/\\/[0-9a-f-]{36}(?=\\/|$)/gi" },
  { test: /^\d{10,}$/, replace: "/\\/\\d{10,}(?=\\/|$)/g" },
  { test: /^[0-9a-f]{16,}$/i, replace: "/\\/[0-9a-f]{16,}(?=\\/|$)/gi" },
  { test: /^[0-9A-HJKMNP-TV-Z]{26}$/, replace: "/\\/[0-9A-HJKMNP-TV-Z]{26}(?=\\/|$)/g" },
];

function wholeBodyOption({ body }: MatchOptions, equalAs: (form: BodyForm) => boolean): string {
  const { as = "auto" } = typeof body === "object" ? body : {};
  const form = (["auto", "text"] as const).find((form) => form !== as && equalAs(form));
  if (form === undefined) return "false";
  const ignored = ignoredIn(body);
  return `{ as: "${form}"${ignored.length > 0 ? `, ignore: ${list(ignored)}` : ""} }`;
}

function headersWithout(names: readonly string[], given: NonNullable<MatchOptions["headers"]>): string {
  if ("ignore" in given) return ignoring([...given.ignore, ...names]);
  return list(given.filter((name) => !names.includes(name.toLowerCase())));
}

function ignoredIn(option: boolean | { readonly ignore?: readonly string[] } | undefined): readonly string[] {
  return typeof option === "object" ? option.ignore ?? [] : [];
}

function ignoring(names: readonly string[]): string {
  return `{ ignore: ${list(names)} }`;
}

function list(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
}
