/**
 * A server on node:http2, in a process of its own: whatever runtime the proxy is tested on, its peer is Node's.
 *
 *     node node_origin.ts '{"cert": "...", "key": "...", "allowHTTP1": true}'
 *
 * Prints its port. Without a certificate it speaks HTTP/2 with prior knowledge.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

const { cert, key, allowHTTP1 = false, maxConcurrentStreams = 200 } = JSON.parse(process.argv[2] ?? "{}");
const settings = { maxConcurrentStreams };
const server = cert === undefined
  ? http2.createServer({ settings })
  : http2.createSecureServer({ cert, key, allowHTTP1, settings });
const sessions: ServerHttp2Session[] = [];
const waiting: (() => void)[] = [];
let held: ServerHttp2Stream | undefined;
let written = 0;
const resets: number[] = [];

server.on("session", (session: ServerHttp2Session) => sessions.push(session));
server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
  stream.on("error", () => {});
  stream.on("aborted", () => resets.push(stream.rstCode));
  const [, name = "", arg = ""] = String(headers[":path"]).split(/[/?]/);
  const answer = answers[name] ?? ((it: ServerHttp2Stream) => it.respond({ ":status": 404 }, { endStream: true }));
  answer(stream, arg, raw);
});
if (allowHTTP1) server.on("request", http1);
server.on("sessionError", () => {});

const answers: Record<string, (stream: ServerHttp2Stream, arg: string, raw: string[]) => void> = {
  /** What came, as JSON. */
  echo(stream, _arg, raw) {
    let length = 0;
    const hash = createHash("sha1");
    let trailers: string[] = [];
    stream.on("data", (bytes: Buffer) => {
      length += bytes.length;
      hash.update(bytes);
    });
    stream.on("trailers", (_headers, _flags, rawTrailers: string[]) => trailers = rawTrailers);
    stream.on("end", () => {
      const number = sessions.indexOf(stream.session as ServerHttp2Session);
      stream.respond({ ":status": 200, "content-type": "application/json", "set-cookie": ["a=1", "b=2"] });
      stream.end(JSON.stringify({ raw, length, sha1: hash.digest("hex"), trailers, session: number }));
    });
  },
  /** Trailers behind a body. */
  trailers(stream) {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": ["1", "2"], "grpc-status": "0" }));
    stream.end("body");
  },
  /** 103, twice, and the response. */
  early(stream) {
    stream.additionalHeaders({ ":status": 103, link: ["</a.css>", "</b.css>"] });
    stream.additionalHeaders({ ":status": 103, link: "</c.css>" });
    setTimeout(() => {
      stream.respond({ ":status": 200 });
      stream.end("late");
    }, 20);
  },
  /** A reset before the response. */
  reset: (stream, code) => stream.close(Number(code)),
  /** So many bytes. */
  download(stream, size) {
    stream.respond({ ":status": 200 });
    written = 0;
    const write = () => {
      while (written < Number(size)) {
        // No two pieces are the same: see sha1Of().
        const part = Buffer.alloc(Math.min(16_384, Number(size) - written), String(written));
        written += part.length;
        if (!stream.write(part)) return stream.once("drain", write);
      }
      stream.end();
    };
    write();
  },
  /** Reads nothing of the body until `go` comes. */
  hold(stream) {
    held = stream;
    stream.respond({ ":status": 200 });
    stream.pause();
  },
  go(stream) {
    let length = 0;
    held!.on("data", (bytes: Buffer) => length += bytes.length);
    held!.on("end", () => held!.end(String(length)));
    held!.resume();
    stream.respond({ ":status": 204 }, { endStream: true });
  },
  /** Answers when so many have come. */
  wait(stream, count) {
    waiting.push(() => {
      stream.respond({ ":status": 200 });
      stream.end(`session ${sessions.indexOf(stream.session as ServerHttp2Session)}`);
    });
    if (waiting.length >= Number(count)) { for (const answer of waiting.splice(0)) answer(); }
  },
  /** Never answers. */
  hang() {},
  /** Says that the connection ends, and answers the streams that wait. */
  goaway(stream) {
    const session = stream.session!;
    stream.respond({ ":status": 204 }, { endStream: true });
    setTimeout(() => {
      session.close();
      setTimeout(() => {
        for (const answer of waiting.splice(0)) answer();
      }, 100);
    }, 20);
  },
  /** How far `download` has come, and what was reset. */
  state(stream) {
    stream.respond({ ":status": 200 });
    stream.end(JSON.stringify({ written, resets, sessions: sessions.length }));
  },
};

function http1(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersionMajor !== 1) return;
  if (request.url === "/early") response.writeEarlyHints({ link: ["</a.css>", "</b.css>"] });
  let length = 0;
  request.on("data", (bytes: Buffer) => length += bytes.length);
  request.on("end", () => {
    response.setHeader("Set-Cookie", ["a=1", "b=2"]);
    response.setHeader("Keep-Alive", "timeout=5");
    response.setHeader("Trailer", "X-Sum");
    response.addTrailers({ "X-Sum": "1" });
    response.write("");
    response.addTrailers([["X-Sum", "1"]]);
    response.end(JSON.stringify({ version: "1.1", raw: request.rawHeaders, length, trailers: request.rawTrailers }));
  });
}

server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
