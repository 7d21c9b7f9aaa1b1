/**
 * Streams of node:http2 as TCP connections, in a process of its own: so a test can say every byte in them, on any runtime, while the
 * frames around them are Node's.
 *
 *     node node_bridge.ts '{"server": {"cert": "...", "key": "...", "forward": 4000, "connectProtocol": true}}'
 *
 * Prints its ports as JSON. A connection to `control` begins with a line that says which stream to open; a connection that this process
 * makes to `server.forward` begins with a line that says which stream has come. Each is answered with a line, and then it is the stream.
 *
 * @module
 */
import http from "node:http";
import http2, {
  type ClientHttp2Session,
  type Http2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import net, { type AddressInfo, type Socket } from "node:net";
import process from "node:process";
import tls from "node:tls";
import type { BridgeOptions, Opened, OpenOrder } from "./bridge.ts";

const options: BridgeOptions = JSON.parse(process.argv[2] ?? "{}");
const sessions = new Map<string, Promise<ClientHttp2Session>>();
const accepted: ServerHttp2Session[] = [];
const codes: [side: string, code: number][] = [];

const control = net.createServer({ allowHalfOpen: true }, async (socket) => {
  const order: OpenOrder = JSON.parse(await readLine(socket));
  if (order.ask !== undefined) return socket.end(`${JSON.stringify(asks[order.ask](order))}\n`);
  try {
    open(socket, await sessionOf(order), order);
  } catch (error) {
    answer(socket, { error: String(error) });
    socket.end();
  }
});

const asks: Record<NonNullable<OpenOrder["ask"]>, (order: OpenOrder) => unknown> = {
  codes: () => codes,
  sessions: () => accepted.length,
  /** The clients say that they open no more streams. */
  leave() {
    for (const session of sessions.values()) session.then((it) => it.close());
    sessions.clear();
  },
  /** The server says so. */
  goAway() {
    for (const session of accepted) session.goaway();
  },
  /** The server cuts its connections. */
  cut() {
    for (const session of accepted) session.destroy();
  },
};

function open(socket: Socket, session: ClientHttp2Session, { headers, end = false }: OpenOrder): void {
  const stream = session.request(headers as OutgoingHttpHeaders, { endStream: end });
  stream.on("response", (seen: IncomingHttpHeaders) => {
    answer(socket, { status: Number(seen[":status"]), headers: seen as Record<string, string> });
    join(stream, socket, "client");
  });
  stream.on("error", (error) => {
    if (!answered.has(socket)) answer(socket, { error: error.message, code: stream.rstCode });
    socket.end();
  });
}

function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on("error", () => {});
  const socket = net.connect({ port: options.server!.forward, host: "127.0.0.1", allowHalfOpen: true }, async () => {
    socket.write(`${JSON.stringify({ headers })}\n`);
    const { status = 200, headers: fields = {}, end = false } = JSON.parse(await readLine(socket)) as Opened;
    if (stream.destroyed) return socket.destroy();
    stream.respond({ ":status": status, ...fields }, { endStream: end });
    join(stream, socket, "server");
  });
  socket.on("error", () => {});
}

function join(stream: Http2Stream & NodeJS.ReadWriteStream, socket: Socket, side: string): void {
  stream.pipe(socket);
  socket.pipe(stream as ServerHttp2Stream);
  // close() with a code would end the stream before it resets it.
  socket.on("error", (error) => (stream as ServerHttp2Stream).destroy(error));
  stream.on("close", () => {
    codes.push([side, stream.rstCode ?? -1]);
    if (stream.rstCode !== 0) socket.resetAndDestroy();
  });
}

function sessionOf(order: OpenOrder): Promise<ClientHttp2Session> {
  const { port, target, ca, name } = order.session!;
  const key = `${port} ${target} ${ca !== undefined} ${name}`;
  let session = sessions.get(key);
  if (session === undefined) {
    session = connect(order.session!);
    sessions.set(key, session);
    session.then((it) => it.on("close", () => sessions.get(key) === session && sessions.delete(key)), () => {});
  }
  return session;
}

async function connect(
  { port, target, ca, servername }: NonNullable<OpenOrder["session"]>,
): Promise<ClientHttp2Session> {
  const plain = target === undefined ? net.connect(port, "127.0.0.1") : await new Promise<Socket>((resolve, reject) => {
    const request = http.request({ port, host: "127.0.0.1", method: "CONNECT", path: target });
    request.on("connect", (_response, it) => resolve(it as Socket)).on("error", reject).end();
  });
  const socket = ca === undefined ? plain : await new Promise<Socket>((resolve, reject) => {
    const secure = tls.connect({ socket: plain, servername, ca, ALPNProtocols: ["h2"] }, () => resolve(secure));
    secure.on("error", reject);
  });
  const session = http2.connect(`http${ca === undefined ? "" : "s"}://${target ?? `127.0.0.1:${port}`}`, {
    createConnection: () => socket,
  });
  return await new Promise((resolve, reject) => {
    session.on("error", reject);
    session.on("goaway", () => sessions.forEach(async (it, key) => await it === session && sessions.delete(key)));
    session.once("remoteSettings", () => resolve(session));
  });
}

const answered = new WeakSet<Socket>();

function answer(socket: Socket, opened: Opened): void {
  answered.add(socket);
  socket.write(`${JSON.stringify(opened)}\n`);
}

/** What follows the line stays in the socket. */
function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", () => {});
    let text = "";
    const read = () => {
      for (let byte = socket.read(1); byte !== null; byte = socket.read(1)) {
        if (byte[0] !== 10) {
          text += String.fromCharCode(byte[0]);
          continue;
        }
        socket.off("readable", read);
        return resolve(text);
      }
    };
    socket.on("readable", read);
  });
}

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function startServer(
  { cert, key, connectProtocol = true, allowHTTP1 = false }: NonNullable<BridgeOptions["server"]>,
) {
  const settings = { enableConnectProtocol: connectProtocol };
  const server = cert === undefined
    ? http2.createServer({ settings })
    : http2.createSecureServer({ cert, key: key!, settings, allowHTTP1 });
  server.on("session", (session: ServerHttp2Session) => accepted.push(session));
  server.on("stream", serve);
  // What it is asked in HTTP/1.1 is forwarded too.
  server.on("upgrade", (request: http.IncomingMessage, socket: Socket, head: Uint8Array) => {
    const to = net.connect({ port: options.server!.forward, host: "127.0.0.1" }, () => {
      to.write(`${JSON.stringify({ headers: { ...request.headers, ":version": request.httpVersion } })}\n`);
      if (head.length > 0) to.write(head);
      to.pipe(socket).pipe(to);
    });
    socket.on("error", () => to.destroy());
    to.on("error", () => socket.destroy());
  });
  server.on("sessionError", () => {});
  return await listen(server);
}

const ports = {
  control: await listen(control),
  server: options.server === undefined ? undefined : await startServer(options.server),
};
console.log(JSON.stringify(ports));
