/**
 * Where the reader is, as the part of the address behind `#`: so a link leads to it again.
 *
 * @module
 */

/** Where the reader is. */
export interface Place {
  /** The id of a flow, `failure`, or nothing. */
  readonly open: string;
  /** The tab of the flow. */
  readonly tab: string;
  /** The filter. */
  readonly filter: string;
}

/** `#flow-12/response?~m%20POST` */
export function readPlace(hash: string): Place {
  const [, open = "", tab = "", filter = ""] = /^#?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(hash) ?? [];
  return { open: decode(open), tab: decode(tab), filter: decode(filter) };
}

/** The same from a place. */
export function printPlace({ open, tab, filter }: Place): string {
  const path = tab === "" ? encodeURIComponent(open) : `${encodeURIComponent(open)}/${encodeURIComponent(tab)}`;
  return `#${path}${filter === "" ? "" : `?${encodeURIComponent(filter)}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
