/**
 * flowtape: the network fixture of a test suite. An intercepting proxy that records, replays, mocks and explains HTTP traffic.
 *
 * @example
 * ```ts
 * import { assertReceived, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [["POST https://pay.test/charges", respond({ status: 402, json: { error: "declined" } })]],
 * });
 * await proxy.fetch("https://pay.test/charges", { method: "POST", body: JSON.stringify({ cents: 500 }) });
 * assertReceived(proxy, { method: "POST", json: { cents: 500 } }, { times: 1 });
 * ```
 *
 * @module
 */
export { type CloseOptions, type Proxy, startProxy } from "./proxy.ts";
export type {
  AuthOptions,
  CaptureOptions,
  HttpsOptions,
  LimitOptions,
  ProxyOptions,
  TimeoutOptions,
  UpstreamOptions,
} from "./options/proxy_options.ts";
export type { ClientCertificate, TlsVersion } from "./wire/outbound/trust.ts";
export type { WaitOptions } from "./fixture/capture.ts";

// What passes.
export type { BodyBuffer } from "./flow/body_buffer.ts";
export type { CertificateInfo } from "./flow/certificate.ts";
export type { ClientHello, ClientHelloFields } from "./flow/client_hello.ts";
export type { Flow } from "./flow/flow.ts";
export {
  type FailureAnswer,
  type FailureCode,
  FAILURES,
  type FlowError,
  type FlowErrorCode,
} from "./flow/flow_error.ts";
export { FlowSet, type FlowSetOptions } from "./flow/flow_set.ts";
export type { Advice, Miss, NearAnswer } from "./flow/miss.ts";
export type { FlowPlayer, PlayFlowOptions } from "./flow/player.ts";
export type { ExtractFrom } from "./flow/set/extract.ts";
export type { PlayEditor, PlayOptions } from "./flow/set/play.ts";
export type { FlowSummary } from "./flow/summary.ts";
export { FlowHeaders, type HeadersLike } from "./flow/headers.ts";
export { type EditFlowOptions, type FlowSource, HttpFlow, type InformationalResponse } from "./flow/http_flow.ts";
export { BodyIncompleteError, type HttpVersion, Message } from "./flow/message.ts";
export type { Peer, TlsInfo } from "./flow/peer.ts";
export { FlowRequest, type RequestAddress, type RequestInit, type Scheme } from "./flow/request.ts";
export { FlowResponse, type ResponseInit } from "./flow/response.ts";
export type { BreakStage, Cut, Shape, ShapedSide, Stage } from "./flow/shape.ts";
export type { TcpAnswer, TcpClientLine, TcpListener } from "./flow/tcp_answer.ts";
export { TcpFlow } from "./flow/tcp_flow.ts";
export { TcpMessage } from "./flow/tcp_message.ts";
export type {
  WebSocketAnswer,
  WebSocketClientLine,
  WebSocketData,
  WebSocketLine,
  WebSocketListener,
  WebSocketServerListener,
} from "./flow/websocket_answer.ts";
export type { Timings } from "./flow/timings.ts";
export {
  type Side,
  type WebSocketControl,
  WebSocketConversation,
  WebSocketMessage,
  type WebSocketMessageInit,
} from "./flow/websocket.ts";

export type { BrowserOptions } from "./client/browser.ts";

// Which flows.
export { all, any, not } from "./flow/matcher/combine.ts";
export { filter } from "./flow/filter/filter.ts";
export { FILTER_OPERATORS, type FilterOperator } from "./flow/filter/operators.ts";
export { compile } from "./flow/matcher/compile.ts";
export { tcp } from "./flow/matcher/tcp.ts";
export type {
  AsymmetricMatcher,
  BodyMatcher,
  Comparison,
  CompiledMatcher,
  MatchedMessage,
  Matcher,
  MatchKey,
  MessageMatcher,
  MessageShape,
  RecordMatcher,
  RequestShape,
  ResponseShape,
  StandardSchema,
  UrlPattern,
  ValueMatcher,
} from "./flow/matcher/types.ts";

// When.
export type { Addon, LogEntry } from "./hooks/addon.ts";
export type { Layer, LayerName } from "./hooks/layer.ts";
export { type HookEntry, type HookName, HOOKS } from "./hooks/table.ts";

// What to do.
export * from "./rules/mod.ts";

export * from "./presets/mod.ts";

// What is worth a look.
export * from "./alerters/mod.ts";

// The tape.
export type { TapeEntry } from "./tape/entry.ts";
export type { Turns } from "./tape/streams/chunk.ts";
export type { RecordedChunk, StoredChunk, StoredStream } from "./tape/streams/read.ts";
export type { Said, SaidClose, TcpEnd } from "./tape/streams/said.ts";
export type { BodyForm, BodyMatchOptions, MatchOptions, OriginPart } from "./tape/match/match_options.ts";
export type { Drift } from "./tape/verify/drift.ts";
export type { ExpiryOptions, RedactOptions, TapeMode, TapeOptions, VerifyOptions } from "./tape/options.ts";

// The report: what makes it is in "flowtape/report".
export type { ReportOptions } from "./report/input.ts";

// Assertions without a test runner.
export * from "./expect/mod.ts";

export { FlowtapeError, HookError, OptionsError, TapeError, UnmatchedRequestError } from "./flow/error.ts";
