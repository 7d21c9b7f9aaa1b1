/**
 * What every frame of a type must be.
 *
 * @module
 */
import type { Frame } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** @throws {Http2Error} a frame of this type has another size */
export function sized({ payload, type }: Frame, size: number): void {
  if (payload.length !== size) {
    throw new Http2Error(
      "FRAME_SIZE_ERROR",
      `a frame of type ${type} has ${payload.length} bytes, not ${size} (RFC 9113 6)`,
    );
  }
}

/** @throws {Http2Error} a frame of this type cannot be for a stream */
export function forConnection({ stream, type }: Frame): void {
  if (stream !== 0) {
    throw new Http2Error("PROTOCOL_ERROR", `a frame of type ${type} is for stream ${stream} (RFC 9113 6)`);
  }
}

/** The error for a frame that must be for a stream. */
export function onNoStream(): Http2Error {
  return new Http2Error("PROTOCOL_ERROR", "a frame that is for a stream is for none (RFC 9113 6)");
}
