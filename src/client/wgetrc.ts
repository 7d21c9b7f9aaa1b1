/**
 * A start-up file for wget.
 *
 * @module
 */
import { temporaryFile } from "../wire/ca/temporary_file.ts";

const written = new Map<string, string>();
const KEPT = 32;

/** The path of a file that makes wget trust a certificate; one for each certificate, removed when the process exits. */
export function wgetrcFor(pemPath: string): string {
  const known = written.get(pemPath);
  if (known !== undefined) return known;
  const path = temporaryFile("wgetrc", `ca_certificate = ${pemPath}\n`);
  if (written.size >= KEPT) written.delete(written.keys().next().value!);
  written.set(pemPath, path);
  return path;
}
