/**
 * Gets a PAC file.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FlowtapeError, OptionsError } from "../../../../flow/error.ts";

/**
 * The text of a PAC file: given itself, or by a path, a `file:`, `data:`, `http:` or `https:` URL.
 *
 * @param given told from a path by the function that every PAC file defines
 * @throws {FlowtapeError} it cannot be read
 */
export async function readPacSource(given: string): Promise<string> {
  if (/\bFindProxyForURL\b/.test(given)) return given;
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(given) ?? [];
  switch (scheme?.toLowerCase()) {
    case "http":
    case "https":
    case "data":
      return await fetchSource(given);
    case "file":
      return await readSource(fileURLToPath(given), given);
    case undefined:
      return await readSource(given, given);
    default:
      throw new OptionsError(
        `upstream.pac is ${
          JSON.stringify(given)
        }: the text of a PAC file, its path, or a file:, data:, http: or https: ` +
          `URL is accepted`,
      );
  }
}

async function readSource(path: string, given: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(given, error instanceof Error ? error.message : String(error), error);
  }
}

async function fetchSource(url: string): Promise<string> {
  const response = await fetch(url).catch((error: unknown) => {
    throw unreadable(url, error instanceof Error ? error.message : String(error), error);
  });
  if (response.ok) return await response.text();
  await response.body?.cancel();
  throw unreadable(url, `the server answered ${response.status}`);
}

function unreadable(given: string, why: string, cause?: unknown): FlowtapeError {
  return new FlowtapeError("PAC_UNREADABLE", `The PAC file ${given} (upstream.pac) cannot be read: ${why}.`, { cause });
}
