// proxy.fetch takes and gives the classes of the platform, also on Node, where the package underneath has its own.
import { expect, test } from "vitest";
import { type HttpFlow, respond, startProxy } from "../../src/mod.ts";

test("a FormData is sent as a form", async () => {
  await using proxy = await startProxy({ rules: [["*", respond({ body: "ok" })]] });
  const form = new FormData();
  form.set("name", "Ada");
  form.set("file", new File(["xyz"], "x.txt"));
  const response = await proxy.fetch("https://shop.test/form", { method: "POST", body: form });
  expect(await response.text()).toBe("ok");
  const sent = (proxy.flows.last() as HttpFlow).request.form() as FormData;
  expect(sent.get("name")).toBe("Ada");
  expect((sent.get("file") as File).name).toBe("x.txt");
});

test("a Request keeps its method, headers and body", async () => {
  await using proxy = await startProxy({ rules: [["*", respond({ status: 204 })]] });
  const request = new Request("https://shop.test/a", { method: "PUT", body: "text", headers: { "x-a": "1" } });
  expect((await proxy.fetch(request)).status).toBe(204);
  const sent = (proxy.flows.last() as HttpFlow).request;
  expect([sent.method, sent.headers.get("x-a"), sent.text()]).toEqual(["PUT", "1", "text"]);
});

test("the answer is a Response of the platform; fetch needs no this", async () => {
  const cookies = [["set-cookie", "a=1"], ["set-cookie", "b=2"]] as const;
  await using proxy = await startProxy({ rules: [["*", respond({ headers: cookies, json: { a: 1 } })]] });
  const { fetch } = proxy;
  const response = await fetch("https://shop.test/a");
  expect(response).toBeInstanceOf(Response);
  expect(response.url).toBe("https://shop.test/a");
  expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await response.json()).toEqual({ a: 1 });
});
