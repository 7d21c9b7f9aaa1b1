/**
 * The least that makes a relay of the codec: one server in front of another, with no hooks but `decide`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { FlowHeaders } from "../../../src/flow/headers.ts";
import type { Side, WebSocketMessage } from "../../../src/flow/websocket.ts";
import type { Head } from "../../../src/wire/http1/head.ts";
import { Http1Parser } from "../../../src/wire/http1/parser.ts";
import { Conversation, type DeflateParameters } from "../../../src/wire/websocket/conversation.ts";
import { checkSwitch, upgradeFields } from "../../../src/wire/websocket/handshake.ts";
import { describe } from "./support.ts";

export interface Relay extends AsyncDisposable {
  readonly url: string;
  /** What was told of all conversations. */
  readonly told: string[];
  /** What was negotiated, last. */
  deflate: DeflateParameters | undefined;
}

/** Relays to a server on this machine. A hook may take its time. */
export async function relayTo(
  port: number,
  decide: (message: WebSocketMessage, conversation: Conversation) => void | Promise<void>,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  const failures: unknown[] = [];
  const relay: Relay = { url: "", told: [], deflate: undefined, [Symbol.asyncDispose]: stop };
  const server = createServer((client) => {
    sockets.add(client);
    serve(client).catch((error) => {
      failures.push(error);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(relay, { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });

  async function serve(client: Socket): Promise<void> {
    const upstream = connect(port, "127.0.0.1");
    sockets.add(upstream);
    const both: Record<Side, Socket> = { client, server: upstream };
    const request = await readHead(client, new Http1Parser("request"));
    upstream.write(`GET / HTTP/1.1\r\n${upgradeFields(request.head)}\r\n`);
    const response = await readHead(upstream, new Http1Parser("response"));
    client.write(`HTTP/1.1 101 Switching Protocols\r\n${upgradeFields(response.head)}\r\n`);
    const fields = (head: Head) => FlowHeaders.fromFields(head.fields);
    relay.deflate = checkSwitch(fields(request.head), fields(response.head));

    const conversation = new Conversation({ deflate: relay.deflate });
    const pull = () => {
      for (let event = conversation.next(); event !== undefined; event = conversation.next()) {
        if (event.type === "bytes") {
          both[event.to].write(event.bytes);
          continue;
        }
        relay.told.push(describe(event));
        if (event.type === "end") {
          client.end();
          upstream.end();
        } else if (event.type === "message" && event.held) {
          const { message } = event;
          both[message.from].pause();
          Promise.resolve(decide(message, conversation)).then(() => {
            conversation.release(message);
            both[message.from].resume();
            pull();
          });
        }
      }
    };
    for (const from of ["client", "server"] as const) {
      both[from].on("data", (bytes) => {
        conversation.push(from, Buffer.from(bytes));
        pull();
      });
      both[from].on("end", () => {
        conversation.finish(from);
        pull();
      });
      both[from].on("error", () => {});
      conversation.push(from, from === "client" ? request.rest : response.rest);
    }
    pull();
    client.resume();
    upstream.resume();
  }

  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    if (failures.length > 0) throw failures[0];
  }
}

async function readHead(socket: Socket, parser: Http1Parser): Promise<{ head: Head; rest: Buffer }> {
  const head = await new Promise<Head>((resolve, reject) => {
    socket.on("data", function read(bytes: Buffer) {
      parser.push(bytes);
      const event = parser.next();
      if (event?.type !== "head") return;
      socket.pause();
      socket.off("data", read);
      resolve(event.head);
    });
    socket.once("error", reject);
  });
  return { head, rest: parser.rest() };
}
