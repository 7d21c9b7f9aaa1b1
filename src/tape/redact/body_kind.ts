/**
 * What a body is read as when secrets are looked for.
 *
 * @module
 */
import { essence, isJson, isText, parameter } from "../../flow/media_type.ts";
import { looksLikeJson } from "../media.ts";
import { isGrpc } from "../streams/grpc.ts";
import { latin1 } from "./encoding.ts";
import type { TextKind } from "./text.ts";

/** What a body is read as. */
export type BodyKind = TextKind | "form" | "multipart" | "binary";

/** Media types of protobuf. */
export const PROTOBUF: RegExp = /protobuf(?!\+json)|[+/-]proto$/;

/** What a body is by its media type and by how it begins. */
export function kindOf(bytes: Uint8Array, contentType: string | null): BodyKind {
  const { always, unlessJson, type } = kindOfType(contentType ?? "");
  if (always !== undefined) return always;
  if (looksLikeJson(bytes) || looksLikeWideJson(bytes)) return "json";
  if (unlessJson !== undefined) return unlessJson;
  const start = latin1(bytes.subarray(0, 512));
  if (type === "application/octet-stream" && start.includes("\0")) return "binary";
  if (/^\s*<(?:[!?a-z])/i.test(start)) return "markup";
  return /^[\w.%[\]-]{1,64}=[^\s]*$/.test(start) && start.includes("&") ? "form" : "plain";
}

interface KindOfType {
  readonly type: string;
  readonly always?: BodyKind | undefined;
  /** What it is when it does not look like JSON; if that is not known either, its beginning tells. */
  readonly unlessJson?: BodyKind | undefined;
}

/** Few are met, and each again and again. */
const kinds = new Map<string, KindOfType>();

function kindOfType(contentType: string): KindOfType {
  let kind = kinds.get(contentType);
  if (kind === undefined) {
    if (kinds.size > 100) kinds.clear();
    kinds.set(contentType, kind = readKind(contentType));
  }
  return kind;
}

function readKind(contentType: string): KindOfType {
  const type = essence(contentType);
  if (type.startsWith("multipart/")) {
    return { type, always: parameter(contentType, "boundary") ? "multipart" : "plain" };
  }
  if (type === "application/x-www-form-urlencoded") return { type, always: "form" };
  // Its first bytes may look like anything.
  if (isGrpc(contentType) || PROTOBUF.test(type)) return { type, always: "binary" };
  if (isJson(contentType) || /ndjson|jsonl|event-stream/.test(type)) return { type, always: "json" };
  if (/html|xml/.test(type)) return { type, unlessJson: "markup" };
  if (/javascript|ecmascript|typescript|css/.test(type)) return { type, unlessJson: "program" };
  const binary = type !== "" && type !== "application/octet-stream" && !isText(contentType);
  return binary ? { type, unlessJson: "binary" } : { type };
}

function looksLikeWideJson(bytes: Uint8Array): boolean {
  if (!bytes.subarray(0, 64).includes(0)) return false;
  const start = latin1(bytes.subarray(0, 64)).replace(/^(?:\xff\xfe|\xfe\xff)?\0*/, "");
  return /^[{[]\0/.test(start);
}
