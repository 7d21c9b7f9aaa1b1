import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runtime, runtimePath } from "../../support/runtime.ts";
import { relayTo } from "./relay.ts";

let origin: ChildProcess;
let port = 0;

beforeAll(async () => {
  const script = fileURLToPath(new URL("bun_echo.ts", import.meta.url));
  origin = spawn(runtimePath("bun"), [script], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: origin.stdout! })) {
    port = Number(line);
    break;
  }
});

afterAll(async () => {
  const closed = once(origin, "close");
  origin.kill("SIGKILL");
  await closed;
});

/** The runtime's own client. */
class Client {
  readonly #socket: WebSocket;
  readonly #received: (string | Uint8Array)[] = [];
  #wake = () => {};
  readonly closed: Promise<string>;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }) => {
      this.#received.push(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.#socket.addEventListener("close", ({ code, reason, wasClean }) => resolve(`${code} ${reason} ${wasClean}`));
    });
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.addEventListener("open", () => resolve());
      this.#socket.addEventListener("error", () => reject(new Error("the WebSocket could not be opened")));
    });
    return this;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** The next messages. */
  async take(count: number): Promise<(string | Uint8Array)[]> {
    while (this.#received.length < count) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#received.splice(0, count);
  }
}

test("the client of this runtime and the server of Bun understand what was passed, edited, dropped and injected", async () => {
  await using relay = await relayTo(port, async (message, conversation) => {
    if (message.from === "client" && message.text === "drop me") message.drop();
    if (message.from === "client" && message.text.startsWith("edit")) message.data = `${message.text}, edited`;
    if (message.from === "server" && message.text.startsWith("echo edit")) message.data = "an edited echo";
    if (message.text === "inject") {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (message.from === "client") conversation.inject("client", "injected");
    }
  });
  const client = await new Client(relay.url).open();
  // Node and Bun offer compression, Deno does not.
  expect(relay.deflate !== undefined).toBe(runtime !== "deno");
  const long = "the quick brown fox jumps over the lazy dog. ".repeat(3000);
  for (
    const data of ["first", "", long, "first", "edit this", "drop me", "first", "echo edit", long, "inject", "last"]
  ) {
    client.send(data);
  }
  client.send(Uint8Array.of(0, 255, 128));
  const got = await client.take(12);
  const at = got.indexOf("injected");
  expect(at).toBeGreaterThan(-1);
  got.splice(at, 1);
  expect(got.slice(0, -1)).toEqual(
    ["first", "", long, "first", "edit this, edited", "first", "an edited echo", long, "inject", "last"],
  );
  expect(Buffer.from(got.at(-1) as Uint8Array).toString("hex")).toBe("00ff80");
  client.close(4000, "done");
  expect(await client.closed).toBe("4000 done true");
  expect(relay.told.slice(-3)).toEqual([
    'client close 4000 "done"',
    'server close 4000 "done"',
    "end clean by client 4000",
  ]);
});

test("a close of the server arrives", async () => {
  await using relay = await relayTo(port, () => {});
  const client = await new Client(relay.url).open();
  client.send("close 4001 enough");
  expect(await client.closed).toBe("4001 enough true");
  expect(relay.told).toContain('server close 4001 "enough"');
});

test("a close of the relay arrives", async () => {
  await using relay = await relayTo(port, (message, conversation) => {
    if (message.from === "client") conversation.close(1001, "going");
  });
  const client = await new Client(relay.url).open();
  client.send("x");
  expect(await client.closed).toBe("1001 going true");
  expect(relay.told.at(-1)).toBe("end clean by proxy 1001");
});
