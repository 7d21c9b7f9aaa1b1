// Every test of wsgiprox's suite (test_wsgiprox.py) has its counterpart here, under its name. Its suite runs on gevent and on uWSGI; this one
// with a fetch handler and with a listener of node:http.
import { Buffer } from "node:buffer";
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import {
  type Gateway,
  type Handler,
  mount,
  type MountOptions,
  node,
  upgrade,
  userPrefix,
} from "../../src/gateway/mod.ts";
import { startProxy } from "../../src/mod.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { connectRaw } from "../support/raw_client.ts";
import { tempFolder } from "../support/temp.ts";
import { ask, openSocket, tell } from "./client.ts";
import { closedStreams, customApp, fetchApp, nodeApp } from "./wsgi_apps.ts";

const OPTIONS: MountOptions = {
  prefix: "/prefix/",
  download: "wsgiprox",
  hosts: { "proxy-alias": null, "proxy-app-1": customApp },
};

const APPS: [string, () => Handler][] = [["a fetch handler", () => fetchApp], ["node:http", () => node(nodeApp())]];
const schemes = test.each(["http", "https"]);
const webSocketSchemes = test.each(["ws", "wss"]);

const start = (app: Handler) => startProxy({ app: mount(app, OPTIONS) });

describe.each(APPS)("with %s", (kind, app) => {
  schemes("test_non_chunked: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text, header } = await ask(proxy, `${scheme}://example.com/path/file?foo=bar&addproxyhost=true`);
    expect(text).toBe(
      `Requested Url: /prefix/${scheme}://example.com/path/file?foo=bar&addproxyhost=true Proxy Host: none`,
    );
    expect(header("content-length")).toBe(String(text.length));
  });

  schemes("test_non_chunked_custom_port: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text, header } = await ask(proxy, `${scheme}://example.com:123/path/file?foo=bar`);
    expect(text).toBe(`Requested Url: /prefix/${scheme}://example.com:123/path/file?foo=bar`);
    expect(header("content-length")).toBe(String(text.length));
  });

  schemes("test_non_chunked_ip_port: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text } = await ask(proxy, `${scheme}://10.0.1.10:7890/path/file?foo=bar`);
    expect(text).toBe(`Requested Url: /prefix/${scheme}://10.0.1.10:7890/path/file?foo=bar`);
  });

  test("test_with_sni: the name in the TLS hello goes before the address in CONNECT", async () => {
    await using proxy = await start(app());
    const { text } = await ask(proxy, "https://example.com/path/file?foo=bar", { connect: "93.184.216.34:443" });
    expect(text).toBe("Requested Url: /prefix/https://example.com/path/file?foo=bar");
  });

  schemes("test_chunked: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text, header } = await ask(proxy, `${scheme}://example.com/path/file?foo=bar&chunked=true`);
    expect(header("transfer-encoding")).toBe("chunked");
    expect(header("content-length")).toBeUndefined();
    expect(text).toBe(`Requested Url: /prefix/${scheme}://example.com/path/file?foo=bar&chunked=true`);
  });

  schemes("test_stream_data_chunked: %s", async (scheme) => {
    await using proxy = await start(app());
    const data = `${kind} ${scheme}`;
    const query = `stream=true&data=${encodeURIComponent(data)}`;
    const { text, header } = await ask(proxy, `${scheme}://example.com/path/filename?${query}`);
    expect(header("transfer-encoding")).toBe("chunked");
    expect(header("content-length")).toBeUndefined();
    expect(text).toBe(data);
    expect(closedStreams).toContain(data);
  });

  schemes("test_chunked_force_http10_buffer: %s", async (scheme) => {
    await using proxy = await start(app());
    const url = `${scheme}://example.com/path/file?foo=bar&chunked=true`;
    const { text, header } = await ask(proxy, url, { version: "1.0" });
    // Nothing is buffered: the end of the connection is the end of the body.
    expect(header("transfer-encoding")).toBeUndefined();
    expect(text).toBe(`Requested Url: /prefix/${url}`);
  });

  schemes("test_write_callable: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text } = await ask(proxy, `${scheme}://example.com/path/file?foo=bar&write=true`);
    expect(text).toBe(`Requested Url: /prefix/${scheme}://example.com/path/file?foo=bar&write=true`);
  });

  schemes("test_post: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text } = await ask(proxy, `${scheme}://example.com/path/post`, { method: "POST", body: "ABC=1&xyz=2" });
    expect(text).toBe(`Requested Url: /prefix/${scheme}://example.com/path/post Post Data: ABC=1&xyz=2`);
  });

  schemes("test_fixed_host: %s", async (scheme) => {
    await using proxy = await start(app());
    const { text } = await ask(proxy, `${scheme}://wsgiprox/path/file?foo=bar`);
    expect(text).toBe("Requested Url: /path/file?foo=bar");
  });

  webSocketSchemes("test_websocket: %s", async (scheme) => {
    await using proxy = await start(app());
    await using socket = await openSocket(proxy, `${scheme}://example.com/websocket?a=b`);
    const url = `/prefix/${scheme.replace("ws", "http")}://example.com/websocket?a=b`;
    expect(await tell(socket, `${scheme} message`)).toBe(`WS Request Url: ${url} Echo: ${scheme} message`);
  });

  webSocketSchemes("test_websocket_custom_port: %s", async (scheme) => {
    await using proxy = await start(app());
    await using socket = await openSocket(proxy, `${scheme}://example.com:456/websocket?a=b`);
    const url = `/prefix/${scheme.replace("ws", "http")}://example.com:456/websocket?a=b`;
    expect(await tell(socket, `${scheme} message`)).toBe(`WS Request Url: ${url} Echo: ${scheme} message`);
  });

  webSocketSchemes("test_websocket_fixed_host: %s", async (scheme) => {
    await using proxy = await start(app());
    await using socket = await openSocket(proxy, `${scheme}://wsgiprox/websocket?a=b`);
    expect(await tell(socket, `${scheme} message`)).toBe(`WS Request Url: /websocket?a=b Echo: ${scheme} message`);
  });

  webSocketSchemes("test_error_websocket_ignored: %s, the client is not left waiting but refused", async (scheme) => {
    await using proxy = await start(app());
    await expect(openSocket(proxy, `${scheme}://wsgiprox/websocket?ignore_ws=true`)).rejects.toThrow("HTTP/1.1 200 OK");
  });

  test("test_non_proxy_passthrough", async () => {
    await using proxy = await start(app());
    const response = await fetch(`${proxy.url}/path/file?foo=bar`);
    expect(await response.text()).toBe("Requested Url: /path/file?foo=bar");
  });

  schemes("test_proxy_auth_required: %s", async (scheme) => {
    await using proxy = await startProxy({
      app: mount(app(), { ...OPTIONS, prefix: undefined, resolve: userPrefix() }),
    });
    const { status, head } = await ask(proxy, `${scheme}://example.com/path/file?foo=bar`);
    expect(status).toBe(407);
    expect(head).toContain('Proxy-Authenticate: Basic realm="Please enter prefix path"');
  });

  schemes("test_proxy_auth_success: %s", async (scheme) => {
    await using proxy = await startProxy({
      app: mount(app(), { ...OPTIONS, prefix: undefined, resolve: userPrefix() }),
    });
    const { text } = await ask(proxy, `${scheme}://example.com/path/file?foo=bar`, { login: "other-prefix:ignore" });
    expect(text).toBe(`Requested Url: /other-prefix/${scheme}://example.com/path/file?foo=bar`);
  });
});

test("test_in_mem_ca: without a folder the authority is in memory, and its file holds no key", async () => {
  await using proxy = await start(fetchApp);
  await using folder = await tempFolder();
  await using kept = await startProxy({ app: mount(fetchApp, OPTIONS), https: { ca: { dir: folder.path } } });
  expect(kept.ca.path.startsWith(folder.path)).toBe(true);
  expect(proxy.ca.path.startsWith(folder.path)).toBe(false);
  expect(proxy.ca.cert).toContain("BEGIN CERTIFICATE");
});

schemes("test_alt_host: %s", async (scheme) => {
  await using proxy = await start(fetchApp);
  const { text } = await ask(proxy, `${scheme}://proxy-alias/path/file?foo=bar&addproxyhost=true`);
  expect(text).toBe("Requested Url: /path/file?foo=bar&addproxyhost=true Proxy Host: proxy-alias");
});

schemes("test_proxy_app: %s", async (scheme) => {
  await using proxy = await start(fetchApp);
  const { text } = await ask(proxy, `${scheme}://proxy-app-1/path/file`);
  expect(text).toBe("Custom App: proxy-app-1 req to /path/file");
});

schemes("test_download_pem: %s", async (scheme) => {
  await using proxy = await start(fetchApp);
  const { text, header } = await ask(proxy, `${scheme}://wsgiprox/download/pem`);
  expect(header("content-type")).toBe("application/x-x509-ca-cert");
  expect(text).toBe(proxy.ca.cert);
});

schemes("test_download_pkcs12: %s", async (scheme) => {
  await using proxy = await start(fetchApp);
  const { text, header } = await ask(proxy, `${scheme}://wsgiprox/download/p12`);
  expect(header("content-type")).toBe("application/x-pkcs12");
  expect(Buffer.from(text, "latin1")[0]).toBe(0x30);
});

test.runIf(hasCommand("openssl"))(
  "test_download_pkcs12: OpenSSL reads the certificate in it, and finds no key",
  async () => {
    await using proxy = await start(fetchApp);
    await using folder = await tempFolder();
    const response = await proxy.fetch("http://wsgiprox/download/p12");
    const { writeFile } = await import("node:fs/promises");
    await writeFile(`${folder.path}/ca.p12`, new Uint8Array(await response.arrayBuffer()));
    const { stdout, stderr, code } = await run("openssl", [
      "pkcs12",
      "-in",
      `${folder.path}/ca.p12`,
      "-passin",
      "pass:",
      "-nodes",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toContain("PRIVATE KEY");
    const body = (pem: string) => /-----BEGIN CERTIFICATE-----([^-]+)/.exec(pem)![1]!.replace(/\s/g, "");
    expect(body(stdout)).toBe(body(proxy.ca.cert));
  },
);

describe("test_error_proxy_unsupported: a server that does not hand over its connections", () => {
  const gateway: Gateway = mount(fetchApp, OPTIONS);

  test("what a client sends in absolute form passes through as it is", async () => {
    const response = await gateway.fetch(new Request("http://example.com/path/file?foo=bar"));
    expect(await response.text()).toBe("Requested Url: /path/file?foo=bar");
  });

  test("CONNECT gets a 405", async () => {
    // No runtime makes such a Request, but servers hand them over.
    const request = new Request("http://example.com:443/");
    Object.defineProperty(request, "method", { value: "CONNECT" });
    const response = await gateway.fetch(request);
    expect(response.status).toBe(405);
    expect(await response.text()).toContain("which this server does not hand over");
  });

  test("a WebSocket gets a 405, whether a handler or a listener of node:http would take it", async () => {
    const fields = { upgrade: "websocket", connection: "Upgrade" };
    for (const handler of [((_request, info) => upgrade(info).response) as Handler, node(createServer())]) {
      const response = await mount(handler).fetch(new Request("http://example.com/", { headers: fields }));
      expect(response.status).toBe(405);
    }
  });

  test("the same over a real server that serves gateway.fetch", async () => {
    const server = createServer(async (request, response) => {
      const answer = await gateway.fetch(
        new Request(new URL(request.url!, "http://localhost"), { method: request.method! }),
      );
      response.writeHead(answer.status).end(await answer.text());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as { port: number };
      await using connection = await connectRaw(port);
      await connection.write(
        "GET http://example.com/path/file?foo=bar HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
      );
      const text = Buffer.from(await connection.readAll()).toString("latin1");
      expect(text).toContain("Requested Url: /path/file?foo=bar");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
