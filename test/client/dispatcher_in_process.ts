/**
 * A process that uses undici through a proxy, and tells what it got.
 *
 * @module
 */
import process from "node:process";
import { fetch, request } from "undici";
import { dispatcher } from "../../src/client/mod.ts";
import { type HttpFlow, respond, startProxy } from "../../src/mod.ts";

const auth = { username: "me", password: "a b" };
const proxy = await startProxy({ auth, defaultAction: respond({ body: "answered" }) });
const through = await dispatcher(proxy);
const { body } = await request("http://192.0.2.7/a", { dispatcher: through });
const response = await fetch("https://192.0.2.7/a", { dispatcher: through });
const got = [await body.text(), await response.text()];
await through.close();
const seen = [...proxy.flows].map((flow) => (flow as HttpFlow).request.url);
const stranger = await dispatcher({ proxy: proxy.url, ca: proxy.ca.cert });
const refused = await request("https://192.0.2.7/", { dispatcher: stranger }).catch((error) => error.code);
console.log(JSON.stringify({ seen, got, refused }));
process.exit();
