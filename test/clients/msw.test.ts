// The examples of MSW's documentation, for processes that MSW itself cannot reach.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProxy } from "../../src/mod.ts";
import { VERSIONS } from "../rules/msw/versions.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { hasCommand, runtimePath } from "../support/runtime.ts";

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin(({ method, target, header }) => ({
    headers: [["content-type", "application/json"]],
    body: JSON.stringify({ real: `${method} ${target}`, accept: header("accept") ?? null }),
  }));
});
afterAll(() => origin[Symbol.asyncDispose]());

describe.each(VERSIONS)("%s for other processes", (_, { bypass, delay, http, HttpResponse, passthrough }) => {
  const handlers = () => {
    const posts = new Map([["1", { id: "1", title: "First" }]]);
    return [
      http.get(
        "https://api.example.com/user",
        () => HttpResponse.json({ id: "abc-123", firstName: "John", lastName: "Maverick" }),
      ),
      http.post("https://api.example.com/posts", async ({ request }) => {
        const post = await request.clone().json() as { id: string; title: string };
        posts.set(post.id, post);
        return HttpResponse.json(post, { status: 201 });
      }),
      http.delete("https://api.example.com/posts/:id", ({ params }) => {
        const post = posts.get(params.id as string);
        return post === undefined ? new HttpResponse(null, { status: 404 }) : HttpResponse.json(post);
      }),
      http.post("https://api.example.com/login", async ({ request }) => {
        const form = await request.formData();
        if (form.get("password") !== "secret") throw HttpResponse.text("Forbidden", { status: 403 });
        return new HttpResponse(null, { headers: { "Set-Cookie": "authToken=abc-123; Path=/" } });
      }),
      http.get(
        "https://api.example.com/me",
        ({ cookies }) =>
          cookies.authToken ? HttpResponse.json({ name: "John" }) : new HttpResponse(null, { status: 401 }),
      ),
      http.get(
        "https://api.example.com/search",
        ({ request }) => HttpResponse.json(new URL(request.url).searchParams.getAll("id")),
      ),
      http.get("https://api.example.com/feed.xml", async () => {
        await delay(20);
        return HttpResponse.xml("<feed/>");
      }),
      http.get("https://api.example.com/page", () => HttpResponse.html("<p>page</p>")),
      http.get("https://api.example.com/bytes", () => HttpResponse.arrayBuffer(Uint8Array.of(0, 255, 10).buffer)),
      http.get("https://api.example.com/form", () => {
        const form = new FormData();
        form.set("a", "1");
        return HttpResponse.formData(form);
      }),
      http.get("https://api.example.com/old", () => HttpResponse.redirect("https://api.example.com/user", 302)),
      http.get("https://api.example.com/stream", () => {
        const chunks = ["hello ", "streamed ", "world"];
        return new HttpResponse(
          new ReadableStream({
            pull(controller) {
              const chunk = chunks.shift();
              if (chunk === undefined) controller.close();
              else controller.enqueue(new TextEncoder().encode(chunk));
            },
          }),
          { headers: { "content-type": "text/plain" } },
        );
      }),
      http.get("https://api.example.com/degrees", function* () {
        for (let degree = 25; degree < 27; degree++) yield HttpResponse.json({ degree });
        return HttpResponse.json({ degree: 28 });
      }),
      http.get("https://api.example.com/once", () => HttpResponse.text("once"), { once: true }),
      http.get("https://api.example.com/once", () => HttpResponse.text("then")),
      http.get("https://api.example.com/error", () => HttpResponse.error()),
      http.get(`${origin.url}/pass`, () => passthrough()),
      http.get(`${origin.url}/patched`, async ({ request }) => {
        const real = await (await fetch(bypass(request))).json() as object;
        return HttpResponse.json({ ...real, patched: true });
      }),
    ];
  };

  const outcomes = {
    "GET /user": '{"id":"abc-123","firstName":"John","lastName":"Maverick"}',
    "POST /posts": '201 {"id":"2","title":"Second"}',
    "DELETE /posts/1": '200 {"id":"1","title":"First"}',
    "DELETE /posts/9": "404 ",
    "GET /me": "401 ",
    "POST /login wrong": "403 Forbidden",
    "POST /login": "200 authToken=abc-123; Path=/",
    "GET /me with cookie": '200 {"name":"John"}',
    "GET /search?id=1&id=2": '["1","2"]',
    "GET /feed.xml": "text/xml <feed/>",
    "GET /page": "text/html <p>page</p>",
    "GET /bytes": "0,255,10",
    "GET /form": "multipart/form-data 1",
    "GET /old": '{"id":"abc-123","firstName":"John","lastName":"Maverick"}',
    "GET /stream": "hello streamed world",
    "GET /degrees": '{"degree":25}{"degree":26}{"degree":28}{"degree":28}',
    "GET /once": "once then then",
    "GET /error": "failed",
  };

  test("Node's fetch", async () => {
    await using proxy = await startProxy({ rules: handlers() });
    const script = `
      const api = "https://api.example.com";
      const out = {};
      const send = (path, init) => fetch(api + path, init);
      const body = async (path, init) => (await send(path, init)).text();
      const both = async (path, init) => { const r = await send(path, init); return r.status + " " + await r.text(); };
      const typed = async (path) => {
        const r = await send(path);
        return r.headers.get("content-type").split(";")[0] + " " + await r.text();
      };
      const json = (value) => ({ method: "POST", body: JSON.stringify(value) });
      const login = (password) => ({ method: "POST", body: new URLSearchParams({ password }) });
      out["GET /user"] = await body("/user");
      out["POST /posts"] = await both("/posts", json({ id: "2", title: "Second" }));
      out["DELETE /posts/1"] = await both("/posts/1", { method: "DELETE" });
      out["DELETE /posts/9"] = await both("/posts/9", { method: "DELETE" });
      out["GET /me"] = await both("/me");
      out["POST /login wrong"] = await both("/login", login("wrong"));
      const logged = await send("/login", login("secret"));
      out["POST /login"] = logged.status + " " + logged.headers.get("set-cookie");
      out["GET /me with cookie"] = await both("/me", { headers: { cookie: "authToken=abc-123" } });
      out["GET /search?id=1&id=2"] = await body("/search?id=1&id=2");
      out["GET /feed.xml"] = await typed("/feed.xml");
      out["GET /page"] = await typed("/page");
      out["GET /bytes"] = String(new Uint8Array(await (await send("/bytes")).arrayBuffer()));
      const form = await send("/form");
      out["GET /form"] = form.headers.get("content-type").split(";")[0] + " " + (await form.formData()).get("a");
      out["GET /old"] = await body("/old");
      out["GET /stream"] = await body("/stream");
      out["GET /degrees"] = "";
      for (let i = 0; i < 4; i++) out["GET /degrees"] += await body("/degrees");
      out["GET /once"] = [await body("/once"), await body("/once"), await body("/once")].join(" ");
      out["GET /error"] = await body("/error").catch(() => "failed");
      const real = ${JSON.stringify(origin.url)};
      out.pass = await (await fetch(real + "/pass")).json();
      out.patched = await (await fetch(real + "/patched")).json();
      console.log(JSON.stringify(out));
    `;
    const args = ["--use-env-proxy", "--input-type=module", "-e", script];
    const { stdout, stderr } = await run(runtimePath("node"), args, { env: proxy.env() });
    expect(stderr).toBe("");
    const { pass, patched, ...mocked } = JSON.parse(stdout);
    expect(mocked).toEqual(outcomes);
    expect(pass.real).toBe("GET /pass");
    expect(patched).toMatchObject({ real: "GET /patched", patched: true });
  });

  test.runIf(hasCommand("python3"))("Python's urllib", async () => {
    await using proxy = await startProxy({ rules: handlers() });
    const script = `
import json, urllib.request, urllib.error, urllib.parse, http.cookiejar
jar = http.cookiejar.CookieJar()
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
def ask(path, method="GET", data=None):
    try:
        r = opener.open(urllib.request.Request("https://api.example.com" + path, data=data, method=method), timeout=8)
    except urllib.error.HTTPError as e:
        r = e
    except Exception:
        return "failed"
    return "%d %s" % (r.status, r.read().decode())
out = [ask("/user"), ask("/posts/1", "DELETE"), ask("/me")]
out.append(ask("/login", "POST", urllib.parse.urlencode({"password": "secret"}).encode()))
out += [ask("/me"), ask("/old"), ask("/stream"), ask("/error")]
print(json.dumps(out))
`;
    const { stdout, stderr } = await run("python3", ["-c", script], { env: proxy.env() });
    expect(stderr).toBe("");
    const user = `200 ${outcomes["GET /user"]}`;
    expect(JSON.parse(stdout)).toEqual([
      user,
      outcomes["DELETE /posts/1"],
      "401 ",
      "200 ",
      // Python's own cookie jar, not one of MSW's.
      '200 {"name":"John"}',
      user,
      "200 hello streamed world",
      "failed",
    ]);
  });

  test.runIf(hasCommand("curl"))("curl", async () => {
    await using proxy = await startProxy({ rules: handlers() });
    const curl = async (...args: string[]) => {
      const { stdout, code } = await run("curl", ["-sS", ...args], { env: proxy.env() });
      return code === 0 ? stdout : "failed";
    };
    expect(await curl("https://api.example.com/user")).toBe(outcomes["GET /user"]);
    expect(await curl("-L", "https://api.example.com/old")).toBe(outcomes["GET /user"]);
    expect(await curl("-N", "https://api.example.com/stream")).toBe("hello streamed world");
    expect(await curl("-d", "password=wrong", "https://api.example.com/login")).toBe("Forbidden");
    expect(await curl("https://api.example.com/error")).toBe("failed");
  });

  test("what is sent with bypass() through the proxy meets no handler, and the server sees no mark of MSW", async () => {
    await using proxy = await startProxy({ rules: [http.get("*", () => HttpResponse.text("mock"))] });
    const plain = await proxy.fetch(`${origin.url}/x`);
    expect(await plain.text()).toBe("mock");
    const request = bypass(new Request(`${origin.url}/x`, { headers: { accept: "application/json" } }));
    const real = await (await proxy.fetch(request.url, { headers: request.headers })).json();
    expect(real).toEqual({ real: "GET /x", accept: "application/json" });
  });
});
