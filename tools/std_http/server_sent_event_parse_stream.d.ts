export interface ServerSentEventParsedMessage {
  comment?: string;
  event?: string;
  data?: string;
  id?: string;
  retry?: number;
}
export class ServerSentEventParseStream extends TransformStream<
  Uint8Array<ArrayBuffer>,
  ServerSentEventParsedMessage
> {
  constructor();
}
