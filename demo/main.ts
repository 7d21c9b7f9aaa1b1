/**
 * The main job from end to end: records three clients at a real HTTPS server, stops the server, replays, asserts.
 *
 *     npm run demo
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import process from "node:process";
import { assertReceived, respond, startProxy, UnmatchedRequestError } from "../src/mod.ts";
import { visits } from "./clients.ts";
import { good, heading, quote, say } from "./print.ts";
import { openShop } from "./shop.ts";

const path = resolve(import.meta.dirname, "../fixtures/demo.har");
const answers: string[] = [];

const shop = await openShop();

heading(
  "Record",
  `a real HTTPS server listens on ${shop.url}; every client reaches it through the proxy as https://shop.test`,
);
{
  await using proxy = await startProxy({
    tape: { path, mode: "record" },
    upstream: { hosts: { "shop.test": `127.0.0.1:${shop.port}` }, ca: shop.ca },
  });
  for (const { who, what, go } of visits) {
    const answer = await go(proxy);
    answers.push(answer);
    good(`${who.padEnd(7)} ${what}`, answer);
  }
  say("");
  quote(proxy.flows.summary());
}

heading("Stop the server", "from here on nothing listens there any more");
const seen = shop.requests.length;
await shop[Symbol.asyncDispose]();
good(`the server is gone; it has seen ${seen} requests`);

heading("Replay", "the same clients get the same answers, from fixtures/demo.har");
{
  await using proxy = await startProxy({ tape: { path, mode: "replay" } });
  for (const [i, { who, what, go }] of visits.entries()) {
    const answer = await go(proxy);
    if (answer !== answers[i]) throw new Error(`${who} got ${answer} instead of ${answers[i]}`);
    good(`${who.padEnd(7)} ${what}`, "the same, byte for byte");
  }
  if (proxy.unused.length > 0) throw new Error(`${proxy.unused.length} entries were not replayed`);

  heading("Assert", "on what was sent, whoever sent it");
  assertReceived(proxy, { method: "POST", host: "shop.test", json: { lines: [{ product: 2, quantity: 3 }] } }, {
    times: 1,
  });
  good("one order for three tapes of 90 minutes was sent");
  const tape = await readFile(path, "utf8");
  if (tape.includes("not-for-the-tape")) throw new Error("a credential is on the tape");
  good("the credential that the client sent is not on the tape");

  heading("An assertion that fails", "shows the nearest request, and where it differs");
  try {
    assertReceived(proxy, { method: "POST", path: "/orders", json: { lines: [{ product: 2, quantity: 4 }] } });
  } catch (error) {
    quote((error as Error).message);
    const page = await proxy.report(resolve(import.meta.dirname, "../.tmp/demo.html"), {
      failure: error,
      title: "The demo",
    });
    good("and its report is one page", relative(process.cwd(), page));
  }
}

heading(
  "A request that is not on the tape",
  "reaches nobody, and fails the test that owns the proxy, even if the client swallows the answer",
);
{
  const proxy = await startProxy({
    tape: { path, mode: "replay" },
    rules: [["GET https://shop.test/health", respond({ json: { mocked: true } })]],
  });
  const mocked = await proxy.fetch("https://shop.test/health");
  good("a rule answers what the tape does not hold", await mocked.text());
  const missed = await proxy.fetch("https://shop.test/products?page=2");
  good(`the client got a ${missed.status}; proxy.close() says why:`);
  try {
    await proxy.close();
    throw new Error("close() must reject");
  } catch (error) {
    if (!(error instanceof UnmatchedRequestError)) throw error;
    quote(error.message);
  }
}

say(
  "\nThe tape is fixtures/demo.har: open it in the network panel of a browser, or read it. The report is .tmp/demo.html.\n",
);
