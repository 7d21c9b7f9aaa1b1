/**
 * Bytes in hex, with the characters beside them.
 *
 * @module
 */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { bytes as bytesText } from "./format.ts";

/** So many bytes are shown at once. */
const AT_ONCE = 4096;

/** A dump of bytes. */
export function Hex({ bytes }: { bytes: Uint8Array }): VNode {
  const [most, setMost] = useState(AT_ONCE);
  return (
    <>
      <pre class="code hex" tabIndex={0} aria-label="Bytes in hex">{dump(bytes.subarray(0, most))}</pre>
      {bytes.length > most && (
        <button type="button" class="more" onClick={() => setMost(most * 8)}>
          Show more: {bytesText(bytes.length - most)} are left
        </button>
      )}
    </>
  );
}

/** `00000010  48 65 6c 6c 6f ...  |Hello...|` */
export function dump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.subarray(at, at + 16);
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, "0"));
    const halves = `${hex.slice(0, 8).join(" ").padEnd(23)}  ${hex.slice(8).join(" ").padEnd(23)}`;
    const chars = Array.from(line, (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·").join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${halves}  ${chars}`);
  }
  return lines.join("\n");
}
