/**
 * GraphQL requests: what counts is the operation, its variables, and the query without its white space.
 *
 * @module
 */
import { canonicalJson, type CanonicalOptions, parseExactly } from "./json_signature.ts";

type Operation = Readonly<Record<string, unknown>>;

/** A GraphQL request over POST, or a batch of them, in one form; `undefined` when it is none. */
export function graphqlSignature(value: unknown, options: CanonicalOptions): string | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0 || !value.every(isOperation)) return undefined;
    const { ignored, path = [] } = options;
    return value.map((one, i) => signOperation(one, { ignored, path: [...path, `${i}`] })).join("\n");
  }
  return isOperation(value) ? signOperation(value, options) : undefined;
}

/** Whether text is a GraphQL document: a search for "query" is not. */
export function isDocument(text: string): boolean {
  return DOCUMENT.test(text);
}

/** A document without comments, commas and white space that mean nothing (GraphQL section 2.1). */
export function normalizeDocument(text: string): string {
  return Array.from(text.matchAll(TOKEN), ([token]) => token).filter((token) => !/^[\s,\ufeff#]/.test(token)).join(" ");
}

/**
 * The parameters of a GraphQL request over GET, in one form each. Others stay as they are.
 *
 * @param query is changed
 */
export function normalizeGraphqlQuery(query: URLSearchParams, options: CanonicalOptions): void {
  const document = query.get("query");
  const extensions = query.get("extensions");
  const isQuery = document !== null && isDocument(document);
  if (!isQuery && !extensions?.includes("persistedQuery")) return;
  const { ignored } = options;
  if (isQuery) query.set("query", normalizeDocument(document));
  for (const name of ["variables", "extensions"]) {
    const parsed = parseExactly(query.get(name) ?? "");
    if (parsed !== undefined) query.set(name, canonicalJson(parsed.value, { ignored, path: [name] }));
  }
}

function isOperation(value: unknown): value is Operation {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { query, extensions } = value as Operation;
  return typeof query === "string" ? isDocument(query) : query === undefined && isPersisted(extensions);
}

function isPersisted(extensions: unknown): boolean {
  return typeof extensions === "object" && extensions !== null && "persistedQuery" in extensions;
}

function signOperation(operation: Operation, options: CanonicalOptions): string {
  const { query, variables, operationName, extensions, ...rest } = operation;
  const counts: Record<string, unknown> = { ...rest };
  // None, null and no members are the same for every server.
  if (!isEmpty(variables)) counts.variables = variables;
  if (typeof query !== "string") {
    counts.extensions = extensions;
    if (operationName) counts.operationName = operationName;
    return `graphql ${canonicalJson(counts, options)}`;
  }
  counts.query = normalizeDocument(query);
  const name = operationName || onlyOperation(counts.query as string);
  if (name) counts.operationName = name;
  // With the query, its hash says nothing more, and changes with its white space.
  const { persistedQuery: _, ...others } = (extensions ?? {}) as Operation;
  if (!isEmpty(others)) counts.extensions = others;
  return `graphql ${canonicalJson(counts, options)}`;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** The name of the operation in a normalised document that has only one. */
function onlyOperation(document: string): string | undefined {
  let depth = 0;
  let before = "";
  const names: string[] = [];
  for (const token of document.split(" ")) {
    if (depth === 0 && /^(?:query|mutation|subscription)$/.test(before) && /^\w+$/.test(token)) names.push(token);
    if (token === "{") depth++;
    else if (token === "}") depth--;
    before = token;
  }
  return names.length === 1 ? names[0] : undefined;
}

// A comment goes on to the end of its line: otherwise a line of many "#" could be read in very many ways.
const DOCUMENT =
  /^(?:[\s,\ufeff]|#[^\n\r]*(?:[\n\r]|$))*(?:\{|(?:query|mutation|subscription|fragment)\b[^{]*\{)[^]*\}(?:[\s,]|#[^\n\r]*(?:[\n\r]|$))*$/;
const TOKEN = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n\r])*"|#[^\n\r]*|\.\.\.|[\s,\ufeff]+|[-+.\w]+|[^]/g;
