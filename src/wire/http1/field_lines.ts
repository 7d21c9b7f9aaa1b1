/**
 * Raw field lines as a string: finding, dropping and setting some of them while the others stay as they were sent.
 *
 * @module
 */

/**
 * The lines for which `wanted` holds, as `[start, end, start, end, ...]`. Each is asked for with its lower-case name and the offset
 * where it starts.
 */
export function findLines(fields: string, wanted: (name: string, start: number) => boolean): number[] {
  const found: number[] = [];
  for (let start = 0; start < fields.length;) {
    const end = lineEnd(fields, start);
    const name = fields.slice(start, fields.indexOf(":", start)).toLowerCase();
    if (wanted(name, start)) found.push(start, end);
    start = end;
  }
  return found;
}

/** The fields without the lines `[start, end, start, end, ...]`, which are in order; the same string when there are none. */
export function withoutLines(fields: string, lines: readonly number[]): string {
  if (lines.length === 0) return fields;
  let kept = "";
  let at = 0;
  for (let i = 0; i < lines.length; i += 2) {
    const start = lines[i]!;
    if (start > at) kept += fields.slice(at, start);
    at = lines[i + 1]!;
  }
  return at < fields.length ? kept + fields.slice(at) : kept;
}

/** Where the line that starts at `start` ends, its CRLF included. */
export function lineEnd(fields: string, start: number): number {
  const end = fields.indexOf("\n", start);
  return end === -1 ? fields.length : end + 1;
}
