/**
 * Whether bytes that arrive in pieces are UTF-8.
 *
 * @module
 */

/**
 * Checks UTF-8 byte by byte (RFC 3629 4), so that a text message is refused at its first wrong byte (RFC 6455 8.1): `TextDecoder` tells of
 * a sequence that cannot become valid any more only when it ends.
 */
export class Utf8Validator {
  /** How many bytes of the sequence are still to come. */
  #needed = 0;
  // Between which the next of them must be: narrower than 80..BF where it would be overlong, a surrogate, or over U+10FFFF.
  #lower = 0x80;
  #upper = 0xbf;

  /** Takes the next bytes; `false`: they cannot be UTF-8. */
  push(bytes: Uint8Array): boolean {
    const end = bytes.length;
    for (let at = 0; at < end; at++) {
      const byte = bytes[at]!;
      if (this.#needed === 0) {
        if (byte < 0x80) continue;
        if (!this.#lead(byte)) return false;
      } else {
        if (byte < this.#lower || byte > this.#upper) return false;
        this.#lower = 0x80;
        this.#upper = 0xbf;
        this.#needed--;
      }
    }
    return true;
  }

  /** Whether what came ends between two characters. */
  get complete(): boolean {
    return this.#needed === 0;
  }

  /** Starts anew. */
  reset(): void {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  #lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#lower = 0xa0;
    else if (byte === 0xed) this.#upper = 0x9f;
    else if (byte === 0xf0) this.#lower = 0x90;
    else if (byte === 0xf4) this.#upper = 0x8f;
    return true;
  }
}
