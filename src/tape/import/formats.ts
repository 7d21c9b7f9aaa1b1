/**
 * The formats that can be imported, and how a document is told to be of one.
 *
 * @module
 */
import { isObject, type Json } from "../har_read.ts";

/** What a recording was made by. */
export type ImportFormat =
  | "flowtape"
  | "har"
  | "polly"
  | "nock"
  | "vcr"
  | "vcrpy"
  | "go-vcr"
  | "wiremock"
  | "hoverfly";

/** The format of a document; `undefined` when it is none that is known. */
export function formatOf(document: unknown): ImportFormat | undefined {
  if (Array.isArray(document)) return document.every(isNock) ? "nock" : undefined;
  if (!isObject(document)) return undefined;
  const { log, http_interactions, interactions, data, mappings } = document;
  if (isObject(log)) return creatorFormat(log);
  if (http_interactions !== undefined) return "vcr";
  if (interactions !== undefined) return usesUri(interactions) ? "vcrpy" : "go-vcr";
  if (isObject(data) && data.pairs !== undefined) return "hoverfly";
  if (Array.isArray(mappings) || (isObject(document.request) && isObject(document.response))) return "wiremock";
  return undefined;
}

function creatorFormat({ creator, _recordingName }: Json): ImportFormat {
  const name = isObject(creator) ? creator.name : undefined;
  if (name === "flowtape") return "flowtape";
  return name === "Polly.JS" || _recordingName !== undefined ? "polly" : "har";
}

function isNock(item: unknown): boolean {
  return isObject(item) && item.scope !== undefined && item.path !== undefined;
}

/** vcrpy has `uri` where go-vcr has `url`. */
function usesUri(interactions: unknown): boolean {
  const first = Array.isArray(interactions) ? interactions[0] : undefined;
  return !isObject(first) || !isObject(first.request) || first.request.url === undefined;
}
