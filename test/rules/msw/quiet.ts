/**
 * Takes the place of `BroadcastChannel` before MSW makes one. MSW tells all workers of each WebSocket, and on Deno the files of a test
 * run are workers: the sanitizers of the others would notice.
 *
 * @module
 */
class QuietChannel extends EventTarget {
  postMessage(): void {}
  close(): void {}
}

(globalThis as { BroadcastChannel: unknown }).BroadcastChannel = QuietChannel;
