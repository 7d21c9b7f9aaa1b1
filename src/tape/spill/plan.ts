/**
 * Which bodies go to disk while they pass.
 *
 * @module
 */
import type { OverflowPlan } from "../../flow/body_overflow.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { isOpenEnded } from "../../flow/media_type.ts";
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

/** The plan for the body of a message whose head has come. Few are so large that anybody looks closer. */
export function spillPlan({ headers: { fields } }: Message, options: SpillPlanOptions): OverflowPlan {
  return { limit: SPILL_BYTES, begin: () => spillOf(FlowHeaders.fromFields(fields), options) };
}

/** `undefined`: it must be in memory as a whole. */
function spillOf(headers: FlowHeaders, { redactor, alike, open }: SpillPlanOptions): Spill | undefined {
  const coding = (headers.get("content-encoding") ?? "").trim().toLowerCase();
  const type = headers.get("content-type");
  // Of what has no end, each message is kept, and when it came.
  if (isOpenEnded(type) || !canDecodePieces(coding) || !canRedactPieces(type, redactor)) return undefined;
  return new Spill({ coding, redactor: redactPieces(type, redactor, alike), open });
}
