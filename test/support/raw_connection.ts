/**
 * One end of a TCP or TLS connection that a test drives by hand, byte by byte.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";

/** Reads and writes bytes, as text (Latin-1, one character a byte) or as they are. */
export class RawConnection implements AsyncDisposable {
  /** For what has no method here: `pause()`, `setNoDelay()`, `getPeerCertificate()`... */
  readonly socket: Socket;
  /** Fulfilled when the socket is closed, however that came about; never rejected. */
  readonly closed: Promise<void>;
  /** The error that ended the connection, if one did. */
  error: Error | undefined;
  readonly #raw: Socket;
  readonly #chunks: Buffer[] = [];
  #unread: Buffer[] = [];
  #unreadLength = 0;
  #ended = false;
  #wake = () => {};

  /**
   * @param socket a connected socket
   * @param raw the TCP socket under a TLS socket, which alone can be reset
   */
  constructor(socket: Socket, raw: Socket = socket) {
    this.socket = socket;
    this.#raw = raw;
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", this.#take);
    socket.on("end", end);
    socket.on("error", (error) => this.error = error);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        end();
        resolve();
      });
    });
  }

  /** Every byte that came in so far. */
  get received(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  /** The next message head, up to and including its empty line. */
  readHead(): Promise<string> {
    return this.readUntil("\r\n\r\n");
  }

  /** The next bytes up to and including a given text. */
  async readUntil(mark: string): Promise<string> {
    let at = this.#peek().indexOf(mark, 0, "latin1");
    while (at < 0) {
      await this.#more(JSON.stringify(mark));
      at = this.#peek().indexOf(mark, 0, "latin1");
    }
    return this.#shift(at + mark.length).toString("latin1");
  }

  /** The next `length` bytes. */
  async readBytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#unreadLength < length) await this.#more(`${length} bytes`);
    return new Uint8Array(this.#shift(length));
  }

  /** What comes until the peer ends its side. Rejects if the connection breaks instead. */
  async readAll(): Promise<Uint8Array<ArrayBuffer>> {
    while (!this.#ended) await this.#change();
    if (this.error) throw this.error;
    return new Uint8Array(this.#shift(this.#unreadLength));
  }

  /** Resolves when the bytes are with the kernel. */
  async write(data: string | Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.socket.write(bytes(data), (error) => error ? reject(error) : resolve());
    });
  }

  /** Ends our side, after some last bytes; the peer may go on sending. */
  end(data: string | Uint8Array = ""): void {
    this.socket.end(bytes(data));
  }

  /** Closes both sides at once with a TCP reset. */
  reset(): void {
    this.#raw.resetAndDestroy();
  }

  /** Goes on over TLS, as a client does after CONNECT; this object is then of no more use. */
  async startTls(options: ConnectionOptions): Promise<RawConnection> {
    this.socket.off("data", this.#take);
    const secure = connect({ ...options, socket: this.socket });
    const connection = new RawConnection(secure, this.#raw);
    // A connection that is cut in the handshake may close without an error.
    const cut = connection.closed.then(() => {
      throw new Error("The connection was closed during the TLS handshake");
    });
    await Promise.race([once(secure, "secureConnect"), cut]);
    return connection;
  }

  /** Closes the connection, if it is not closed already. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #take = (chunk: Buffer) => {
    this.#chunks.push(chunk);
    this.#unread.push(chunk);
    this.#unreadLength += chunk.length;
    this.#wake();
  };

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async #more(awaited: string): Promise<void> {
    if (this.#ended) {
      const rest = this.#peek().toString("latin1");
      throw new Error(`The connection ended before ${awaited} came, after ${JSON.stringify(rest)}`, {
        cause: this.error,
      });
    }
    await this.#change();
  }

  /** All that is unread, as one piece. */
  #peek(): Buffer {
    if (this.#unread.length !== 1) this.#unread = [Buffer.concat(this.#unread)];
    return this.#unread[0]!;
  }

  #shift(length: number): Buffer {
    const unread = this.#peek();
    this.#unread = [unread.subarray(length)];
    this.#unreadLength -= length;
    return unread.subarray(0, length);
  }
}

function bytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data, "latin1") : data;
}
