/**
 * Which bodies go to disk while they pass.
 *
 * @module
 */
import type { OverflowPlan } from "../../flow/body_overflow.ts";
import type { Message } from "../../flow/message.ts";
import type { Redactor } from "../redact/redactor.ts";
import type { UnnamedFile } from "../store/tape_store.ts";
import { canRedactPieces, redactPieces } from "./redact_pieces.ts";
import { canDecodePieces, Spill } from "./spill.ts";

/** Bodies up to this many bytes are handled in memory. */
export const SPILL_BYTES: number = 8 * 1024 * 1024;

/** What a spill needs. */
export interface SpillPlanOptions {
  readonly redactor: Redactor;
  /** One for which all secrets are alike; the same by default. */
  readonly alike?: Redactor;
  /** Opens a file; none when only the digest is wanted. */
  readonly open: (() => Promise<UnnamedFile>) | undefined;
}

/** The plan for the body of a message whose head has come; `undefined` when it must be in memory as a whole. */
export function spillPlan({ headers }: Message, { redactor, alike, open }: SpillPlanOptions): OverflowPlan | undefined {
  const coding = (headers.get("content-encoding") ?? "").trim().toLowerCase();
  const type = headers.get("content-type");
  if (!canDecodePieces(coding) || !canRedactPieces(type, redactor)) return undefined;
  return {
    limit: SPILL_BYTES,
    begin: () => new Spill({ coding, redactor: redactPieces(type, redactor, alike), open }),
  };
}
