/** What every contender can do. Each runs in a process of its own, started from `contender_process.ts` by its name. */
import type { Certificate } from "../certificates.ts";
import type { Endpoint } from "../load/connect.ts";

/** `node` is what an engineer writes without a library, in the shape that fits the job. */
export type ContenderName = "flowtape" | "node" | "mockttp";

/** What a proxy has to do while it is measured. */
export type Job =
  /**
   * Forward everything to the origin, and keep every exchange with its bodies. `tape`: a file to record to, for those that record.
   * `http2`: clients and origin speak it.
   */
  | { readonly kind: "record"; readonly tape?: string; readonly http2?: boolean }
  /** Forward WebSockets, and keep the messages. */
  | { readonly kind: "websocket" }
  /** Open tunnels to whatever is asked for, and relay what passes as it is. */
  | { readonly kind: "tunnel" }
  /** Forward and keep at most so much of each body. */
  | { readonly kind: "stream"; readonly maxBody: number }
  /** Answer from rules, one for each path, without an origin. */
  | {
    readonly kind: "respond";
    readonly origin: string;
    readonly paths: number;
  }
  /** Answer every request with the body of one path, whatever name it is for. */
  | { readonly kind: "respondAny"; readonly path: string }
  /** Answer from a tape. */
  | { readonly kind: "replay"; readonly tape: string }
  /** Serve the connections of `test/support/crowd.ts`. */
  | {
    readonly kind: "crowd";
    readonly ca: string;
    readonly hosts: Record<string, string>;
    readonly stuckProxy: string;
  };

export interface Surroundings {
  /** Where the built package is. */
  readonly flowtape: string;
  /** The authority that signed the origin's certificate, PEM. */
  readonly originCa: string;
  /** A prepared certificate for contenders that make none, and the authority that signed it. */
  readonly prepared: Certificate & { readonly ca: string };
}

export interface Contender {
  start(job: Job, surroundings: Surroundings): Promise<Endpoint>;
  /** How many exchanges it holds; of WebSockets, how many messages. */
  seen(): number;
  /** Lets go of what it holds. */
  reset(): void | Promise<void>;
  stop(): Promise<void>;
}
