/**
 * The options that say when a request and an entry are the same.
 *
 * @module
 */
import type { FlowRequest } from "../../flow/request.ts";
import { boolean, callable, type Check, checkShape, names, oneOf, required, shape, wrong } from "../check.ts";

/** A part of the address of a server. */
export type OriginPart = "scheme" | "host" | "port";

/**
 * What a body is compared as:
 *
 * - `auto`: as what its media type says: JSON, GraphQL, a form, multipart; all else byte for byte
 * - `json`: keys in any order, white space does not count
 * - `form`: fields in any order; the values of one name in theirs
 * - `multipart`: without its boundary, each part as what its own type says
 * - `graphql`: operation name, variables and query; the white space and comments of the query do not count
 * - `text`: line breaks of any kind are the same, white space at the ends of lines does not count
 * - `bytes`: byte for byte, JSON and forms too
 * - `hash`: the same as `bytes`, by SHA-256: a recorded body in a file of its own is not read for it, as its name is its hash
 */
export type BodyForm = "auto" | "json" | "form" | "multipart" | "graphql" | "text" | "bytes" | "hash";

/** How bodies are compared. */
export interface BodyMatchOptions {
  /** What they are compared as. `"auto"` by default. A body that is not what is said here counts byte for byte. */
  as?: BodyForm;
  /**
   * JSON or form fields, variables of GraphQL and parts of multipart that do not count: `"nonce"` anywhere, or
   * `"$.meta.time"`, `"items.*.id"`, `'$["a.b"]'` from the top.
   */
  ignore?: readonly string[];
}

/**
 * What a request and an entry must have in common. It is compared when a request comes, and never stored on the tape: changing it
 * never voids a recording.
 */
export interface MatchOptions {
  /** The method. `true` by default. */
  method?: boolean;
  /** Scheme, host and port; `{ ignore: ["port"] }` is for servers on any free port. `true` by default. */
  origin?: boolean | { ignore: readonly OriginPart[] };
  /** The path. `true` by default. */
  path?: boolean;
  /**
   * The query, in any order. `{ ignore }` names parameters that do not count. By default those do not count that clients make anew
   * for each request: `_`, `oauth_nonce`, `oauth_timestamp`, `X-Amz-Date`, `X-Goog-Date`; with `true` every parameter does.
   */
  query?: boolean | { ignore: readonly string[] };
  /**
   * Header fields: an array names those that count; `{ ignore }` lets all count but these, and but those that say something of one
   * connection or one request only, such as `content-length`, `date`, `user-agent`, `traceparent` or `idempotency-key`. None counts by
   * default.
   */
  headers?: readonly string[] | { ignore: readonly string[] };
  /** The body. `true` by default, which is `{ as: "auto" }`. */
  body?: boolean | BodyMatchOptions;
  /**
   * Changes a copy of a request before it is compared; called for live and for recorded ones, without credentials. For what no list of
   * names can say: `(request) => void (request.path = request.path.replace(/\d{13}/, "0"))`. Not async. A request is then compared
   * when its whole body is there.
   */
  normalize?: (request: FlowRequest) => void;
  /**
   * A request that differs from an entry only in values that are made anew in every run is that request: `state` and `nonce`, identifiers
   * that clients draw by lot, what servers or rules have given to the client instead of what is recorded; and the answer says the values
   * of this run. `true` by default.
   */
  correlate?: boolean;
  /** Has the last word on an entry for which all of the above holds. */
  custom?: (live: FlowRequest, recorded: FlowRequest) => boolean;
}

const ignoring = (list: Check): Check => (where, value) => {
  if (typeof value === "boolean") return;
  if (typeof value !== "object" || value === null) wrong(where, value, "true, false or { ignore: [names] }");
  checkShape(where, value, { ignore: list });
  required(where, value, "ignore", "an array of names is accepted");
};

/** Refuses what is not {@linkcode MatchOptions}. */
export const checkMatchOptions: Check = shape({
  method: boolean,
  origin: ignoring((where, value) => {
    names(where, value);
    (value as string[]).forEach((one, i) => oneOf("scheme", "host", "port")(`${where}[${i}]`, one));
  }),
  path: boolean,
  query: ignoring(names),
  headers: (where, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return names(where, value);
    ignoring(names)(where, value);
  },
  body: (where, value) => {
    if (typeof value === "boolean") return;
    if (typeof value !== "object" || value === null) wrong(where, value, "true, false or { as, ignore }");
    checkShape(where, value, {
      as: oneOf("auto", "json", "form", "multipart", "graphql", "text", "bytes", "hash"),
      ignore: names,
    });
  },
  normalize: callable,
  correlate: boolean,
  custom: callable,
});
