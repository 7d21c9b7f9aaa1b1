/**
 * Messages that are nearly right: seeds, and the mutations that make attacks and accidents of them.
 *
 * @module
 */

/** Requests that are right. */
export const REQUESTS: readonly string[] = [
  "GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
  "POST /orders HTTP/1.1\r\nHost: shop.test:8080\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world",
  "PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n",
  "POST /t HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
  "GET http://shop.test/abs HTTP/1.1\r\nHost: shop.test\r\nX-Empty:\r\nX-Tab:\t1\t\r\n\r\n",
  "HEAD /old HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "DELETE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** Responses that are right. */
export const RESPONSES: readonly string[] = [
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
  "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
  "HTTP/1.1 404 \r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
];

const BYTES = [
  "\r",
  "\n",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  "+",
  "-",
  "0",
  "9",
  "x",
  "a",
  "F",
  "/",
  "#",
  '"',
  "\x0b",
  "\x7f",
  "\x80",
  "\xff",
  "\r\n",
  "\r\n\r\n",
];
const SNIPPETS = [
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "content-length:\t011 \r\n",
  "Content-Length: 5, 5\r\n",
  "Content-Length : 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "transfer-encoding:CHUNKED\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding:\r\n chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive, x\r\n",
  "Host: b\r\n",
  "X: 1\r\n 2\r\n",
  "0\r\n\r\n",
  "1\r\nx\r\n",
  "5\r\n",
  ";a=b",
  "HTTP/1.0",
  "HTTP/1.1",
  "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** A few random changes to one or two messages of the seeds. */
export function mutate(seeds: readonly string[], random: () => number): string {
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  let text = pick(seeds);
  if (random() < 0.3) text += pick(seeds);
  for (let changes = below(4); changes > 0; changes--) {
    const at = below(text.length + 1);
    const lines = [...text.matchAll(/\r\n/g)].map((match) => match.index + 2);
    const line = lines.length > 0 ? pick(lines) : 0;
    const change = below(8);
    if (change === 0) text = text.slice(0, at) + pick(BYTES) + text.slice(at);
    else if (change === 1) text = text.slice(0, at) + text.slice(at + 1 + below(3));
    else if (change === 2) text = text.slice(0, at) + pick(BYTES) + text.slice(at + 1);
    else if (change === 3) text = text.slice(0, line - 2) + pick(BYTES) + text.slice(Math.max(0, line - below(3)));
    else if (change === 4) text = text.slice(0, at) + pick(SNIPPETS) + text.slice(at);
    else if (change <= 6) text = text.slice(0, line) + pick(SNIPPETS) + text.slice(line);
    else {text = text.slice(0, line) + text.slice(line, lines.find((next) => next > line) ?? text.length) +
        text.slice(line);}
  }
  return text;
}
