/**
 * Flows as a page that people look at.
 *
 * @module
 */
export type { ReportInput, ReportOptions } from "./input.ts";
export type { ReportLimits } from "./limits.ts";
export { renderReport } from "./render.ts";
export { writeReport } from "./write.ts";
