/**
 * The files that an entry refers to.
 *
 * @module
 */

// Within a string the quotes would be escaped.
const FILE = /"_file": *"([^"\\]+)"/g;

/** The names of the files in the text of an entry, once for each time that it refers to one. */
export function filesOf(text: string): string[] {
  return Array.from(text.matchAll(FILE), ([, name]) => name!);
}
