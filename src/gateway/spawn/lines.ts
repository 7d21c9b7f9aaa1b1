/**
 * The lines of a stream of text.
 *
 * @module
 */
import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";

/**
 * Calls for each line, without its end. What a line has beyond `maxLength` is let go as it comes: one that never ends takes no memory.
 *
 * @param maxLength in UTF-16 code units
 */
export function readLines(stream: Readable, maxLength: number, line: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const end = (text: string) => line(text.endsWith("\r") ? text.slice(0, -1) : text);
  stream.on("data", (data: Uint8Array) => {
    const [first = "", ...more] = decoder.write(data).split("\n");
    rest = (rest + first.slice(0, maxLength)).slice(0, maxLength);
    for (const text of more) {
      end(rest);
      rest = text.slice(0, maxLength);
    }
  });
  stream.on("end", () => {
    rest = (rest + decoder.end()).slice(0, maxLength);
    if (rest !== "") end(rest);
    rest = "";
  });
}
