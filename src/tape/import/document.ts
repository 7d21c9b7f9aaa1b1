/**
 * A document in the bytes of a file: JSON or YAML.
 *
 * @module
 */
import { notImported, reasonOf } from "./failure.ts";
import { parseYaml } from "./yaml.ts";

/**
 * What a file holds.
 *
 * @throws {TapeError} it is neither JSON nor YAML, or larger than can be read
 */
export function parseDocument(bytes: Uint8Array, path: string): unknown {
  const text = decode(bytes, path);
  if (text.trim() === "") throw notImported(path, "it is empty");
  if (/^(?:<<<<<<<|>>>>>>>) /m.test(text)) throw notImported(path, "it holds the conflict markers of a merge");
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A document of YAML may begin so, but none of a recorder does.
    if (/^\s*[{[]/.test(text)) throw notImported(path, `it is not JSON: ${reasonOf(cause)}`, undefined, cause);
  }
  return parseYaml(text, path);
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    // A string has an end, and it differs with the runtime.
    const why = bytes.length > 500_000_000
      ? "it is too large to be read"
      : "it is neither UTF-8 text nor a ZIP archive";
    throw notImported(path, why, undefined, cause);
  }
}
