/**
 * A recorded body as a stream: its chunks as they were, and when they were.
 *
 * @module
 */
import type { Pace } from "./pace.ts";
import type { RecordedChunk } from "./read.ts";

/** How a body ends. */
export interface BodyEnd {
  /** It stays open: the recording ended before it did. */
  readonly open: boolean;
  /** It broke off: called behind the last chunk, instead of an end. */
  readonly cut?: () => void;
  /** Milliseconds before the head, which waits elsewhere. */
  readonly wait: number;
}

/** The stream. Nothing of it happens before it is read, and nothing after it was let go. */
export function bodySource(
  chunks: readonly RecordedChunk[],
  { open, cut, wait }: BodyEnd,
  pace: Pace,
): ReadableStream<Uint8Array> {
  let next = 0;
  let start: number | undefined;
  let stop = () => {};
  const until = (ms: number) => {
    start ??= performance.now();
    return start + wait + pace.of(ms) - performance.now();
  };
  return new ReadableStream<Uint8Array>({
    pull: (controller) =>
      new Promise<void>((resolve) => {
        stop = resolve;
        const chunk = chunks[next];
        if (chunk !== undefined) {
          const cancel = pace.after(until(chunk.time ?? 0), () => {
            next++;
            // A stream takes no empty piece.
            if (chunk.data.length > 0) controller.enqueue(chunk.data);
            resolve();
          });
          stop = () => {
            cancel();
            resolve();
          };
        } else if (cut !== undefined) {
          cut();
        } else if (!open) {
          controller.close();
          resolve();
        }
      }),
    cancel: () => stop(),
  }, { highWaterMark: 0 });
}
