/**
 * Alerters: what is worth a look in flows that are over.
 *
 * @module
 */
export { type Alerter, alerters, nullAlerter } from "./alerter.ts";
export { genericAlerter } from "./generic.ts";
export { injectionAlerter } from "./injection.ts";
export { keywordAlerter, type KeywordOptions } from "./keyword.ts";
