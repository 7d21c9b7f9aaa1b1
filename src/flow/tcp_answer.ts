/**
 * A raw conversation whose server is an addon: what the addon is told, and what it can do.
 *
 * @module
 */

/** Is told what the client sends. What it throws ends the flow with `HOOK_FAILED`. */
export interface TcpListener {
  /** Bytes have come. */
  data?(bytes: Uint8Array): void;
  /** The client has ended its side; it may still listen. */
  end?(): void;
  /** The conversation is over; called once. */
  close?(): void;
}

/** The client of a raw conversation that an addon answers. */
export interface TcpClientLine {
  /** Whether nothing can be sent any more. */
  readonly closed: boolean;
  /** Sends bytes. Nothing happens once it is closed. */
  send(bytes: Uint8Array): void;
  /** Ends the server's side, behind everything that was sent. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
}

/** Speaks for the server: an addon sets it as `flow.answer` in `tcpStart`. */
export interface TcpAnswer {
  /** The conversation begins. */
  open(client: TcpClientLine): TcpListener;
}
