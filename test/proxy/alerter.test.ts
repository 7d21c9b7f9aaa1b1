// The option alerter: what alerters find is kept on the flow and shown, and what they throw fails the test.
import { expect, test } from "vitest";
import {
  type Alerter,
  type FlowtapeError,
  genericAlerter,
  type HttpFlow,
  injectionAlerter,
  keywordAlerter,
  OptionsError,
  respond,
  startProxy,
} from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";

const page = respond({ headers: { "content-type": "text/html" }, body: "<p>An SQL error</p>" });

test("alerts are on the flow as soon as the client has its answer, and in the summary", async () => {
  await using proxy = await startProxy({
    rules: [["/ok", respond({ body: "fine" })]],
    defaultAction: page,
    alerter: [genericAlerter, keywordAlerter(["an sql"])],
  });
  await (await proxy.fetch("http://a.test/ok")).text();
  await (await proxy.fetch("http://a.test/")).text();
  const [ok, bad] = [...proxy.flows] as HttpFlow[];
  expect(ok!.alerts).toEqual([]);
  expect(bad!.alerts).toEqual([
    'the page mentions an error: "An SQL error"',
    'the page mentions SQL: "An SQL error"',
    'the response has "an sql"',
  ]);
  const lines = proxy.flows.summary().split("\n");
  expect(lines.findIndex((line) => line.includes("http://a.test/ "))).toBe(
    lines.indexOf('   ! the page mentions SQL: "An SQL error"') - 2,
  );
  expect(lines.filter((line) => line.startsWith("   ! ")).length).toBe(3);
});

test("alerters look at bodies that have streamed, and at flows that have failed; nothing waits for them", async () => {
  await using origin = await startOrigin(({ target }) => ({
    headers: [["Content-Type", "text/html"]],
    body: (async function* () {
      yield "<p>";
      yield decodeURIComponent(target);
    })(),
  }));
  const failed: Alerter = (flow) => flow.error === undefined ? [] : [`failed with ${flow.error.code}`];
  await using proxy = await startProxy({ alerter: [injectionAlerter(), failed] });
  await (await proxy.fetch(`${origin.url}/?q=%3Cb%3Ehi%3C%2Fb%3E`)).text();
  await rawRequest(proxy.port, "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  expect([...proxy.flows].map((flow) => flow.type === "http" && flow.alerts)).toEqual([
    ['the query parameter q comes back in the response: "<b>hi</b>"'],
    ["failed with UPSTREAM_REFUSED"],
  ]);
});

test("one that throws fails the test under its name, and not the flow or the other alerters", async () => {
  const broken: Alerter = function broken() {
    throw new Error("on purpose");
  };
  const asynchronous = (() => Promise.resolve(["late"])) as unknown as Alerter;
  const proxy = await startProxy({ defaultAction: page, alerter: [broken, asynchronous, genericAlerter] });
  expect(await (await proxy.fetch("http://a.test/?token=s3cret")).text()).toBe("<p>An SQL error</p>");
  expect((proxy.flows.first() as HttpFlow).alerts.length).toBe(2);
  const error = await proxy.close().catch((error) => error) as FlowtapeError;
  expect(error.message).toContain("the alerter broken threw for GET http://a.test/?token=[redacted]: on purpose");
  expect(error.message).toContain("an alerter is not async");
});

test("what is no alerter is refused", async () => {
  await expect(startProxy({ alerter: "generic" as never })).rejects.toThrow(OptionsError);
  await expect(startProxy({ alerter: [genericAlerter, {} as never] })).rejects.toThrow(/option alerter\[1\]/);
});
