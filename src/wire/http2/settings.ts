/**
 * What the two ends of a connection tell each other about themselves (RFC 9113 section 6.5).
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { MAX_FRAME, MAX_WINDOW } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** Identifiers of settings. */
export const SETTING = {
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
} as const;

/** The settings of a peer that are looked at. */
export interface PeerSettings {
  /** How many streams it lets us have open. */
  maxConcurrentStreams: number;
  /** The window of a new stream. */
  initialWindowSize: number;
  /** It takes extended CONNECT (RFC 8441). */
  connectProtocol: boolean;
}

/** What holds until the peer says something else. */
export function initialSettings(): PeerSettings {
  // There is no limit yet, but there will be one, and what is over it would be refused.
  return { maxConcurrentStreams: 100, initialWindowSize: 65_535, connectProtocol: false };
}

/**
 * Takes over what a SETTINGS frame says.
 *
 * @throws {Http2Error} it cannot say so
 */
export function applySettings(settings: PeerSettings, payload: Buffer): void {
  if (payload.length % 6 !== 0) throw new Http2Error("FRAME_SIZE_ERROR", "SETTINGS has half a setting (RFC 9113 6.5)");
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2);
    switch (payload.readUInt16BE(at)) {
      case SETTING.ENABLE_PUSH:
        if (value > 1) throw new Http2Error("PROTOCOL_ERROR", `SETTINGS_ENABLE_PUSH is ${value} (RFC 9113 6.5.2)`);
        break;
      case SETTING.MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value;
        break;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW) {
          throw new Http2Error("FLOW_CONTROL_ERROR", `SETTINGS_INITIAL_WINDOW_SIZE is ${value} (RFC 9113 6.5.2)`);
        }
        settings.initialWindowSize = value;
        break;
      case SETTING.MAX_FRAME_SIZE:
        // Ours are never larger than the least that a peer must take.
        if (value < MAX_FRAME || value > 2 ** 24 - 1) {
          throw new Http2Error("PROTOCOL_ERROR", `SETTINGS_MAX_FRAME_SIZE is ${value} (RFC 9113 6.5.2)`);
        }
        break;
      case SETTING.ENABLE_CONNECT_PROTOCOL:
        if (value > 1) {
          throw new Http2Error("PROTOCOL_ERROR", `SETTINGS_ENABLE_CONNECT_PROTOCOL is ${value} (RFC 8441 3)`);
        }
        settings.connectProtocol = value === 1;
        break;
    }
  }
}
