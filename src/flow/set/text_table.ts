/**
 * Columns that line up.
 *
 * @module
 */

/** How a table is laid out. */
export interface TableOptions {
  /** Columns whose cells stand at the right. */
  right?: ReadonlySet<number>;
  /** A column that gives way when a line would be too long, and how long that is. */
  shrink?: { readonly column: number; readonly width: number; readonly least: number };
}

/** A line for each row, the first of which is the head; cells that are too long lose their middle. */
export function textTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
  const { right = new Set(), shrink } = options;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  if (shrink !== undefined) {
    const { column, width, least } = shrink;
    const others = widths.reduce((sum, one, i) => i === column ? sum : sum + one, 2 * (widths.length - 1));
    widths[column] = Math.min(widths[column]!, Math.max(least, width - others));
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      const room = widths[column]!;
      const text = shortenMiddle(cell, room);
      return right.has(column) ? text.padStart(room) : text.padEnd(room);
    }).join("  ").trimEnd()
  );
}

/** Both ends of a URL tell more than its middle. */
export function shortenMiddle(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(text.length - end)}`;
}
