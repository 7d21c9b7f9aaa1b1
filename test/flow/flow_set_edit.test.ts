// Flows made of flows: changed copies, the next hop of a redirection, copies for another proxy.
import { describe, expect, test } from "vitest";
import { type FlowPlayer, FlowResponse, FlowSet, type HttpFlow } from "../../src/mod.ts";
import { arriving, httpFlow, tcpFlow } from "./flows.ts";

const player: FlowPlayer = { play: (flow) => Promise.resolve(flow.edit(() => {})) };

function redirect(
  status: number,
  location: string,
  init: Parameters<typeof httpFlow>[0],
  setCookie: string[] = [],
): HttpFlow {
  const flow = httpFlow(init);
  flow.response = FlowResponse.create({
    status,
    headers: [["Location", location], ...setCookie.map((it) => ["Set-Cookie", it] as const)],
  });
  return flow;
}

describe("edit", () => {
  test("B89 gives a changed copy that has not been sent; the flow stays as it was", () => {
    const flow = httpFlow({
      method: "POST",
      url: "http://a.test/x?a=1",
      headers: [["X-A", "1"], ["x-a", "2"]],
      body: "abc",
      status: 200,
    });
    const before = JSON.stringify([flow.request.method, flow.request.url, flow.request.headers, flow.request.text()]);
    const copy = flow.edit((request) => {
      request.method = "PUT";
      request.url = "https://b.test/y";
      request.query.set("b", "2");
      request.headers.set("x-new", "1");
      request.headers.delete("X-A");
      request.body.fill(0x78);
      request.trailers = request.headers;
    });
    expect(JSON.stringify([flow.request.method, flow.request.url, flow.request.headers, flow.request.text()])).toBe(
      before,
    );
    expect(flow.request.trailers).toBe(undefined);
    expect(copy).toMatchObject({ done: false, response: undefined, error: undefined });
    expect([copy.request.method, copy.request.url, copy.request.text()]).toEqual([
      "PUT",
      "https://b.test/y?b=2",
      "xxx",
    ]);
    expect(copy.id).not.toBe(flow.id);
  });

  test("keeps what the user has noted", () => {
    const flow = httpFlow("http://a.test/");
    flow.marked = ":red:";
    flow.comment = "why";
    flow.metadata.other = 1;
    const copy = flow.edit(() => {}, { payload: "'" }).edit(() => {});
    expect(copy).toMatchObject({ marked: ":red:", comment: "why", metadata: { payload: "'" } });
    expect(copy.basis).toBe(flow.id);
  });

  test("refuses what is no function, and what would come too late", () => {
    const flow = httpFlow("http://a.test/");
    expect(() => flow.edit({ method: "PUT" } as unknown as () => void)).toThrow("edit() takes a function");
    expect(() => flow.edit(async () => await Promise.reject(new Error("late")))).toThrow("may not be async");
    expect(() =>
      flow.edit(() => {
        throw new Error("mine");
      })
    ).toThrow("mine");
  });
});

describe("similar", () => {
  test.each<[string, string, boolean]>([
    ["http://a.test/x?a=1", "http://a.test/x?b=2", true],
    ["http://a.test/x", "http://a.test:80/x", true],
    ["http://a.test/x", "https://a.test/x", false],
    ["http://a.test/x", "http://b.test/x", false],
    ["http://a.test/x", "http://a.test/X", false],
    ["https://a.test/x", "wss://a.test/x", true],
  ])("%s and %s: %s", (a, b, expected) => {
    expect(httpFlow(a).similar(httpFlow({ method: "POST", url: b }))).toBe(expected);
  });

  test("raw conversations are, with the same host and port", () => {
    expect(tcpFlow().similar(tcpFlow())).toBe(true);
    expect(tcpFlow().similar(httpFlow("http://db.test:5432/"))).toBe(false);
    expect(httpFlow("http://db.test:5432/").similar(tcpFlow())).toBe(false);
  });
});

describe("follow", () => {
  const post = {
    method: "POST",
    url: "http://a.test/x/y?q=1",
    headers: { "content-type": "text/plain", "X-A": "1" },
    body: "abc",
  };

  test.each<[number, string, string, number]>([
    [301, "POST", "GET", 0],
    [302, "POST", "GET", 0],
    [303, "POST", "GET", 0],
    [307, "POST", "POST", 3],
    [308, "POST", "POST", 3],
    [301, "PUT", "PUT", 3],
    [302, "DELETE", "DELETE", 3],
    [303, "PUT", "GET", 0],
    [303, "HEAD", "HEAD", 3],
    [302, "GET", "GET", 3],
  ])("%i makes a %s a %s", (status, method, expected, length) => {
    const flow = redirect(status, "/next", { ...post, method });
    const next = flow.follow()!;
    expect([next.request.method, next.request.url, next.request.body.length]).toEqual([
      expected,
      "http://a.test/next",
      length,
    ]);
    expect(next.request.headers.has("content-type")).toBe(length > 0);
    expect(next.request.headers.get("x-a")).toBe("1");
    expect([flow.request.method, flow.request.text(), flow.request.path]).toEqual([method, "abc", "/x/y"]);
    expect(next.done).toBe(false);
  });

  test.each([
    ["z", "http://a.test/x/z"],
    ["?q=2", "http://a.test/x/y?q=2"],
    ["//b.test/z", "http://b.test/z"],
    ["https://b.test:8443/z#here", "https://b.test:8443/z"],
    ["/caf\xc3\xa9", "http://a.test/caf%C3%A9"],
  ])("Location %s leads to %s", (location, url) => {
    const next = redirect(302, location, post).follow()!;
    expect(next.request.url).toBe(url);
    expect(next.request.headers.get("host")).toBe(new URL(url).host);
  });

  test("is nothing where there is no redirection", () => {
    expect(httpFlow({ url: "http://a.test/", status: 200 }).follow()).toBe(undefined);
    expect(httpFlow({ url: "http://a.test/", status: 302 }).follow()).toBe(undefined);
    expect(redirect(304, "/x", post).follow()).toBe(undefined);
    expect(redirect(300, "/x", post).follow()).toBe(undefined);
    expect(httpFlow({ url: "http://a.test/", error: "UPSTREAM_REFUSED" }).follow()).toBe(undefined);
  });

  test.each(["ftp://a.test/", "http://", "javascript:alert(1)"])("refuses %s", (location) => {
    const follow = () => redirect(302, location, post).follow();
    expect(follow).toThrow("it cannot be followed");
    expect(follow).toThrow(expect.objectContaining({ code: "BAD_REDIRECT" }));
  });

  const secret = { url: "http://a.test/x/y", headers: { authorization: "Basic x", cookie: "a=1; b=2" } };

  test("Authorization goes to the same origin only", () => {
    const authorization = (location: string) =>
      redirect(302, location, secret).follow()!.request.headers.get("authorization");
    expect(authorization("/z")).toBe("Basic x");
    expect(authorization("http://a.test:81/z")).toBe(null);
    expect(authorization("https://a.test/z")).toBe(null);
    expect(authorization("http://b.test/z")).toBe(null);
  });

  test.each<[string, string[], string, string | null]>([
    ["stay with the host", [], "/z", "a=1; b=2"],
    ["do not go to another one", [], "http://b.test/", null],
    ["are added", ["c=3; Path=/"], "/z", "a=1; b=2; c=3"],
    ["are replaced in their place", ["a=9; Path=/"], "/z", "a=9; b=2"],
    ["are deleted by Max-Age", ["a=; Path=/; Max-Age=0"], "/z", "b=2"],
    ["are deleted by a negative Max-Age", ["a=; Path=/; Max-Age=-1"], "/z", "b=2"],
    ["are deleted by Expires", ["a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "/z", "b=2"],
    ["of another path are left out", ["c=3; Path=/other"], "/z", "a=1; b=2"],
    ["without a path are for the folder", ["c=3"], "/x/z", "a=1; b=2; c=3"],
    ["without a path are not for other folders", ["c=3"], "/z", "a=1; b=2"],
    ["that are secure need TLS", ["c=3; Path=/; Secure"], "/z", "a=1; b=2"],
    ["that are secure go with TLS", ["c=3; Path=/; Secure"], "https://a.test/z", "a=1; b=2; c=3"],
    ["of a domain go to its hosts", ["c=3; Path=/; Domain=.a.test"], "http://b.a.test/", "c=3"],
    ["of a top-level domain go nowhere", ["c=3; Path=/; Domain=test"], "http://b.test/", null],
    ["of a foreign domain go nowhere", ["c=3; Path=/; Domain=b.test"], "http://b.test/", null],
    ["without a name are none", ["=3; Path=/", "", ";"], "/z", "a=1; b=2"],
  ])("cookies %s", (_, setCookie, location, expected) => {
    expect(redirect(302, location, secret, setCookie).follow()!.request.headers.get("cookie")).toBe(expected);
  });
});

describe("bind", () => {
  test("B89 gives a copy of all there is; the flow stays bound to whom it was", async () => {
    const flow = httpFlow({ url: "http://a.test/", status: 201, took: 7 });
    flow.source = "tape";
    const bound = flow.bind(player);
    expect(flow.player).toBe(undefined);
    expect(bound).toMatchObject({ source: "tape", done: true, timings: { end: 7 } });
    expect([bound.response!.status, bound.response!.text()]).toEqual([201, "ok"]);
    bound.response!.body.fill(0);
    bound.response!.headers.set("x", "y");
    expect([flow.response!.text(), flow.response!.headers.has("x")]).toEqual(["ok", false]);
    await expect(flow.play()).rejects.toThrow(
      "is bound to no proxy, so nobody can play it: give one with flow.bind(proxy)",
    );
    expect((await bound.play()).request.url).toBe("http://a.test/");
    expect(() => flow.bind(new FlowSet() as unknown as FlowPlayer)).toThrow("bind() takes a proxy");
    expect(() => flow.bind("http://proxy" as unknown as FlowPlayer)).toThrow("bind() takes a proxy");
  });

  test("to another flow takes over its cookies, and sends nothing", () => {
    const cookie = (url: string, response: string[], own = "own=1; a=0") => {
      const login = redirect(200, "/", { url: "http://a.test/login", headers: { cookie: "a=1; b=2" } }, response);
      const bound = httpFlow({ url, headers: { cookie: own }, status: 200 }).bind(login);
      expect(bound).toMatchObject({ done: false, response: undefined });
      return bound.request.headers.get("cookie");
    };
    expect(cookie("http://a.test/x", ["sid=9; Path=/", "b=; Path=/; Max-Age=0"])).toBe("own=1; a=1; sid=9");
    expect(cookie("http://b.test/x", ["sid=9; Path=/"])).toBe("own=1; a=0");
    expect(cookie("http://b.test/x", ["sid=9; Path=/; Domain=b.test"])).toBe("own=1; a=0");
  });

  test("a set binds what can be played", () => {
    const [raw, flow] = [tcpFlow(), httpFlow("http://a.test/")];
    const bound = new FlowSet([raw, flow]).bind(player);
    expect(bound.first()).toBe(raw);
    expect((bound.last() as HttpFlow).player).toBe(player);
  });

  test("is not shown with the flow", () => {
    const bound = httpFlow("http://a.test/").bind(player);
    expect(Object.keys(bound)).not.toContain("player");
    expect(JSON.stringify(new FlowSet([bound]))).not.toContain("play");
  });
});

describe("playing a set", () => {
  const flows = () => new FlowSet([1, 2, 3, 4, 5, 6].map((n) => httpFlow(`http://a.test/${n}`)));
  const paths = (set: FlowSet) => set.requests.map(({ path }) => path);

  test("sends in the order of the set or shuffled, and gives the flows in the order of the set", async () => {
    for (
      const [options, sameOrder] of [[{}, true], [{ order: "shuffled" }, false], [
        { order: "shuffled", seed: 9 },
        false,
      ]] as const
    ) {
      const sent: string[] = [];
      const proxy: FlowPlayer = { play: (flow) => (sent.push(flow.request.path), Promise.resolve(flow)) };
      const played = await flows().play({ ...options, proxy });
      expect(paths(played)).toEqual(paths(flows()));
      expect(sent.join() === paths(flows()).join()).toBe(sameOrder);
      expect(sent.toSorted()).toEqual(paths(flows()));
    }
  });

  test("no more are under way than may be", async () => {
    let [now, most] = [0, 0];
    const proxy: FlowPlayer = {
      async play(flow) {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now--;
        return flow;
      },
    };
    await flows().play({ proxy, concurrency: 3 });
    expect(most).toBe(3);
    await flows().play({ proxy, concurrency: 100 });
    expect(most).toBe(6);
    expect((await new FlowSet().play({ proxy })).length).toBe(0);
  });

  test("what cannot be sent is a flow with an error; what edit throws comes out, and no more is sent", async () => {
    const broken: FlowPlayer = { play: () => Promise.reject(new Error("no way")) };
    const failed = await flows().play({ proxy: broken });
    expect(failed.extract("flow.error")).toEqual(Array(6).fill("PLAY_FAILED"));
    let sent = 0;
    const proxy: FlowPlayer = { play: (flow) => (sent++, Promise.resolve(flow)) };
    const edit = (_: unknown, __: unknown, index: number) => {
      if (index === 2) throw new Error("mine");
    };
    await expect(flows().play({ proxy, edit })).rejects.toThrow("mine");
    expect(sent).toBe(2);
    await expect(flows().play({ proxy, edit, concurrency: 2 })).rejects.toThrow("mine");
    expect(sent).toBe(4);
    await expect(flows().play({ proxy, edit: () => Promise.reject(new Error("late")) })).rejects.toThrow("late");
  });

  test("nothing is sent when one of them cannot be played", async () => {
    let sent = 0;
    const proxy: FlowPlayer = { play: (flow) => (sent++, Promise.resolve(flow)) };
    const playing = (flow: Parameters<FlowSet["append"]>[0]) =>
      new FlowSet([httpFlow("http://a.test/"), flow]).play({ proxy });
    await expect(playing(tcpFlow())).rejects.toThrow(
      "flow 1 (TCP db.test:5432) cannot be played, it is a raw conversation",
    );
    await expect(playing(httpFlow("wss://a.test/"))).rejects.toThrow(
      "it is a WebSocket, which needs a client that talks",
    );
    await expect(playing(httpFlow({ method: "CONNECT", url: "https://a.test/" }))).rejects.toThrow(
      "a request for a tunnel",
    );
    await expect(flows().play()).rejects.toThrow("flow 0 (GET http://a.test/1) is bound to no proxy");
    expect(sent).toBe(0);
  });

  test.each<[object, string]>([
    [{ order: "random" }, '"kept" or "shuffled" as order, not "random"'],
    [{ seed: 0.5 }, "the seed of play() is a whole number, not 0.5"],
    [{ concurrency: 0 }, "the concurrency of play() is a whole number of 1 or more, not 0"],
    [{ edit: {} }, "edit of play() is a function"],
    [{ proxy: {} }, "proxy of play() takes a proxy"],
    [{ timeout: -1 }, "the timeout of play() is a whole number of milliseconds, not -1"],
    [{ concurency: 2 }, 'play() does not know "concurency"; did you mean "concurrency"?'],
    [null as unknown as object, "play() takes an object with order"],
  ])("refuses %j", async (options, message) => {
    await expect(flows().play(options)).rejects.toThrow(message);
  });
});

test("a copy of a body that has not come stays without one", () => {
  const copy = arriving({ method: "POST", url: "http://a.test/" }).edit(() => {});
  expect(() => copy.request.body).toThrow("has not arrived");
});
