/**
 * Gets a PAC file.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FlowtapeError, OptionsError } from "../../../../flow/error.ts";
import { directFetch } from "../../../direct_fetch.ts";

/**
 * The text of a PAC file: given itself, or by a path, a `file:`, `data:`, `http:` or `https:` URL.
 *
 * @param given told from a path by the function that every PAC file defines
 * @param signal gives up waiting for a server
 * @throws {FlowtapeError} it cannot be read
 */
export async function readPacSource(given: string, signal?: AbortSignal): Promise<string> {
  if (isPacText(given)) return given;
  const scheme = checkPacSource(given);
  switch (scheme) {
    case "http":
    case "https":
    case "data":
      return await fetchSource(given, signal);
    case "file":
      return await readSource(fileURLToPath(given), given);
    default:
      return await readSource(given, given);
  }
}

/**
 * The scheme of a URL, in lower case; none for a text and a path.
 *
 * @throws {OptionsError} it is a URL that nothing can be read from
 */
export function checkPacSource(given: string): string | undefined {
  if (isPacText(given)) return undefined;
  // One letter is a drive.
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(given)?.[1]?.toLowerCase();
  if (scheme === undefined || SCHEMES.has(scheme)) return scheme;
  throw new OptionsError(
    `upstream.pac is ${JSON.stringify(given)}: the text of a PAC file, its path, or a file:, data:, http: or https: ` +
      `URL is accepted`,
  );
}

const SCHEMES: ReadonlySet<string> = new Set(["http", "https", "data", "file"]);

/** Whether reading it asks a server. */
export function isRemotePac(given: string): boolean {
  return !isPacText(given) && /^https?:/i.test(given);
}

function isPacText(given: string): boolean {
  return /\bFindProxyForURL\b/.test(given);
}

async function readSource(path: string, given: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(given, error instanceof Error ? error.message : String(error), error);
  }
}

async function fetchSource(url: string, signal: AbortSignal | undefined): Promise<string> {
  let status: number;
  try {
    const response = await directFetch(url, signal && { signal });
    if (response.ok) return await response.text();
    await response.body?.cancel();
    status = response.status;
  } catch (error) {
    throw unreadable(url, error instanceof Error ? error.message : String(error), error);
  }
  throw unreadable(url, `the server answered ${status}`);
}

function unreadable(given: string, why: string, cause?: unknown): FlowtapeError {
  return new FlowtapeError("PAC_UNREADABLE", `The PAC file ${given} (upstream.pac) cannot be read: ${why}.`, { cause });
}
