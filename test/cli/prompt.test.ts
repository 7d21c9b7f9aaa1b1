// The prompt, without a terminal: what a person types goes in, what a person sees comes out.
import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { LineReader } from "../../src/cli/ask/line_reader.ts";
import { ask as askPerson } from "../../src/cli/ask/prompt.ts";
import { nextPaused } from "../../src/cli/child/forward_paused.ts";
import { ask, type Proxy, startProxy } from "../../src/mod.ts";
import type { PausePhase } from "../../src/rules/mod.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

const QUESTION = /\(n\)ext \? $/;

/** A person who answers for a proxy in front of an origin, to which every name leads. */
class Person implements AsyncDisposable {
  seen = "";
  readonly input = new PassThrough();
  readonly over: Promise<void>;
  readonly proxy: Proxy;
  readonly origin: Origin;
  #read = 0;

  constructor(proxy: Proxy, origin: Origin, edit: (text: string) => Promise<string>) {
    this.proxy = proxy;
    this.origin = origin;
    this.over = askPerson({
      next: () => nextPaused(proxy),
      lines: new LineReader(this.input),
      write: (text) => void (this.seen += text),
      edit,
    });
  }

  /** Waits until something new is shown, and gives it. */
  async sees(what: RegExp = QUESTION): Promise<string> {
    for (const deadline = performance.now() + 20_000; !what.test(this.seen.slice(this.#read));) {
      if (performance.now() > deadline) throw new Error(`${what} was not shown: ${this.seen}`);
      await setTimeout(5);
    }
    const shown = this.seen.slice(this.#read);
    this.#read = this.seen.length;
    return shown;
  }

  /** Answers the next question; gives what had been shown until then. */
  async answers(line: string): Promise<string> {
    const shown = await this.sees();
    this.input.write(`${line}\n`);
    return shown;
  }

  /** Drops, as often as the client tries again: some do. */
  async dropsUntil(answer: Promise<unknown>): Promise<void> {
    let over = false;
    void answer.catch(() => {}).then(() => over = true);
    while (!over) {
      if (QUESTION.test(this.seen.slice(this.#read))) await this.answers("d");
      await setTimeout(5);
    }
  }

  /** What a client gets. */
  async get(path: string, init?: RequestInit): Promise<string> {
    return await (await this.proxy.fetch(`http://shop.test${path}`, init)).text();
  }

  async [Symbol.asyncDispose]() {
    await this.proxy.close().catch(() => {});
    await this.over;
    await this.origin[Symbol.asyncDispose]();
  }
}

async function personAskedAbout(
  on: PausePhase[],
  edit: (text: string) => string = (text) => text,
): Promise<Person> {
  const origin = await startOrigin(({ target, text }) => ({ body: `${target} ${text()}`.trim() }));
  const hosts = { "shop.test": `127.0.0.1:${origin.port}` };
  const proxy = await startProxy({ defaultAction: ask({ on }), upstream: { hosts } });
  return new Person(proxy, origin, (text) => new Promise((resolve) => resolve(edit(text))));
}

test.each(["f", "", "forward", " F "])("%j forwards", async (line) => {
  await using person = await personAskedAbout(["request"]);
  const answer = person.get("/orders?token=geheim", { method: "POST", body: "qty=2" });
  const shown = await person.answers(line);
  expect(shown).toBe(
    "POST http://shop.test/orders?token=[redacted] (request, 5 bytes)\n" +
      "[f]orward, (d)rop, (c)ontinue, (v)iew, (h)eaders, (e)dit, (n)ext ? ",
  );
  expect(await answer).toBe("/orders?token=geheim qty=2");
});

test("d drops", async () => {
  await using person = await personAskedAbout(["request"]);
  const answer = person.get("/orders");
  answer.catch(() => {});
  await person.dropsUntil(answer);
  await expect(answer).rejects.toThrow();
  expect(person.origin.requests).toHaveLength(0);
});

test("v and h show, without credentials, and ask again", async () => {
  await using person = await personAskedAbout(["request"]);
  const answer = person.get("/orders", {
    method: "POST",
    body: "qty=2",
    headers: { authorization: "Basic geheim", "content-type": "text/plain" },
  });
  await person.answers("v");
  const all = await person.answers("h");
  expect(all).toMatch(/^ {2}authorization: \[redacted\]$/im);
  expect(all).toMatch(/\n\n {2}qty=2\n/);
  const head = await person.answers("f");
  expect(head).toMatch(/^ {2}host: shop\.test$/im);
  expect(head).not.toContain("qty=2");
  await answer;
});

test("e edits the request, as often as one likes", async () => {
  const edits = [
    (text: string) => text.replace("POST http://shop.test/orders", "PUT http://shop.test/carts"),
    (text: string) => text.replace("qty=2", "qty=33\nmore"),
    (text: string) => text.replace(/^accept:.*$/im, "X-Edited: 1"),
  ];
  await using person = await personAskedAbout(["request"], (text) => edits.shift()!(text));
  const answer = person.get("/orders", { method: "POST", body: "qty=2" });
  for (let i = 0; i < 3; i++) await person.answers("e");
  expect(await person.answers("f")).toMatch(/^PUT http:\/\/shop\.test\/carts \(request, 11 bytes\)$/m);
  expect(await answer).toBe("/carts qty=33\nmore");
  const [request] = person.origin.requests;
  expect(request!.method).toBe("PUT");
  expect(request!.header("x-edited")).toBe("1");
  expect(request!.header("content-length")).toBe("11");
});

test("an edit that cannot be taken says why, and is there again for the next one", async () => {
  const given: string[] = [];
  const edits = [
    (text: string) => text.replace(/^POST .*$/m, "POST"),
    (text: string) => text.replace(/^POST$/m, "POST http://shop.test/fixed"),
    () => {
      throw new Error("there is no editor");
    },
  ];
  await using person = await personAskedAbout(["request"], (text) => {
    given.push(text);
    return edits[given.length - 1]!(text);
  });
  const answer = person.get("/orders", { method: "POST", body: "qty=2" });
  await person.answers("e");
  expect(await person.answers("e")).toContain(
    'the first line is "POST": one such as GET https://shop.test/ is expected',
  );
  await person.answers("e");
  expect(given[1]).toMatch(/^POST$/m);
  expect(await person.answers("f")).toContain("there is no editor");
  expect(await answer).toBe("/fixed qty=2");
});

test("a response is asked about, and edited", async () => {
  const edit = (text: string) => text.replace(/^200.*$/m, "503 Busy").replace("/orders", "later");
  await using person = await personAskedAbout(["request", "response"], edit);
  const answer = person.proxy.fetch("http://shop.test/orders");
  await person.answers("f");
  expect(await person.answers("e")).toMatch(/^200 OK <- GET http:\/\/shop\.test\/orders \(response, 7 bytes\)$/m);
  await person.answers("f");
  const response = await answer;
  expect(response.status).toBe(503);
  expect(await response.text()).toBe("later");
});

test("n goes to the next one and comes back", async () => {
  await using person = await personAskedAbout(["request"]);
  const one = person.get("/one");
  await person.answers("n");
  expect(await person.sees(/no other one waits[^]*\? $/)).toContain("no other one waits");
  const two = person.get("/two");
  while (person.proxy.flows.length < 2) await setTimeout(5);
  person.input.write("n\n");
  expect(await person.answers("f")).toMatch(/^GET http:\/\/shop\.test\/two/m);
  expect(await two).toBe("/two");
  expect(await person.answers("f")).toMatch(/^GET http:\/\/shop\.test\/one/m);
  expect(await one).toBe("/one");
});

test("c forwards this one, those that wait, and all that come", async () => {
  await using person = await personAskedAbout(["request", "response"]);
  const waiting = [person.get("/one"), person.get("/two"), person.get("/three")];
  while (person.proxy.flows.length < 3) await setTimeout(5);
  await person.answers("c");
  expect((await Promise.all(waiting)).sort()).toEqual(["/one", "/three", "/two"]);
  expect(await person.get("/four")).toBe("/four");
});

test("when nobody answers any more, all are forwarded", async () => {
  await using person = await personAskedAbout(["request"]);
  const waiting = [person.get("/one"), person.get("/two")];
  await person.sees();
  person.input.end();
  expect((await Promise.all(waiting)).sort()).toEqual(["/one", "/two"]);
  expect(person.seen).toContain("nobody answers any more: all are forwarded from now on");
  expect(await person.get("/three")).toBe("/three");
});

test("what is no answer is told; ? says what they do", async () => {
  await using person = await personAskedAbout(["request"]);
  const answer = person.get("/one");
  await person.answers("x".repeat(100));
  expect(await person.answers("?")).toContain(`"${"x".repeat(40)}" is no answer; ? says what they do`);
  expect(await person.answers("b")).toMatch(/^ {2}d {2}cuts the client's connection$/m);
  expect(await person.answers("l")).toContain('"b" is no answer');
  expect(await person.answers("f")).toContain('"l" is no answer');
  expect(await answer).toBe("/one");
});

test("a client that has hung up is no mistake", async () => {
  await using person = await personAskedAbout(["request"]);
  const leaving = new AbortController();
  const gone = person.get("/gone", { signal: leaving.signal });
  gone.catch(() => {});
  await person.sees();
  leaving.abort();
  await gone.catch(() => {});
  const [flow] = person.proxy.flows;
  while (!flow!.done) await setTimeout(5);
  const answer = person.get("/next");
  while (person.proxy.flows.length < 2) await setTimeout(5);
  person.input.write("f\n");
  expect(await person.answers("f")).toMatch(
    /^GET http:\/\/shop\.test\/gone \(request\) is gone: .*\nGET http:\/\/shop\.test\/next/,
  );
  expect(await answer).toBe("/next");
});

for (const [line, opened] of [["b", true], ["", true], ["l", true], ["d", false], ["f", true]] as const) {
  test(`CONNECT: ${JSON.stringify(line)} ${opened ? "opens the tunnel" : "drops it"}`, async () => {
    await using tls = await startOrigin(() => ({ body: "behind TLS" }), { tls: true });
    await using proxy = await startProxy({ defaultAction: ask({ on: "connect" }), upstream: { ca: tls.ca } });
    const person = new Person(proxy, tls, (text) => Promise.resolve(text));
    const answer = proxy.fetch(`${tls.url}/`).then((response) => response.text());
    answer.catch(() => {});
    const shown = await person.sees();
    person.input.write(`${line}\n`);
    if (!opened) await person.dropsUntil(answer);
    expect(shown).toBe(
      `CONNECT https://127.0.0.1:${tls.port}/ (connect)\n[b]ypass, (l)ink, (d)rop, (c)ontinue, (v)iew, (h)eaders, (n)ext ? `,
    );
    // Relayed unread, the certificate is the server's own, which this client does not trust.
    if (line === "l" || !opened) await expect(answer).rejects.toThrow();
    else expect(await answer).toBe("behind TLS");
    const seen = [...proxy.flows].some((flow) => flow.type === "http" && flow.request.method === "GET");
    expect(seen).toBe(opened && line !== "l");
    await proxy.close();
    await person.over;
  });
}

test("when the proxy closes in the middle of a question, the prompt ends", async () => {
  await using person = await personAskedAbout(["request"]);
  const answer = person.get("/one");
  answer.catch(() => {});
  await person.sees();
  await expect(person.proxy.close()).rejects.toThrow("nobody");
  await person.over;
  await answer.catch(() => {});
});

test("lines come in pieces, several at once, and with the line ends of Windows", async () => {
  const input = new PassThrough();
  const lines = new LineReader(input);
  input.write("on");
  const first = lines.next();
  input.write("e\r\ntwo\nthr");
  expect(await first).toBe("one");
  expect(await lines.next()).toBe("two");
  input.end("ee");
  expect(await lines.next()).toBe("three");
  expect(await lines.next()).toBeUndefined();
  expect(await lines.next()).toBeUndefined();
});
