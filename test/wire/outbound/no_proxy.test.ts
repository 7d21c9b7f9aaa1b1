/** B83: which servers are reached without a proxy. */
import { describe, expect, test } from "vitest";
import { compileNoProxy } from "../../../src/wire/outbound/proxy/mod.ts";

describe("B83: compileNoProxy", () => {
  test.each<[string, string[], string[]]>([
    ["", [], ["a.test:80", "127.0.0.1:80", "localhost:80"]],
    [" , ", [], ["a.test:80"]],
    ["*", ["a.test:80", "127.0.0.1:80", "[::1]:443"], []],
    ["shop.test", ["shop.test:80", "SHOP.Test:443", "shop.test.:80", "a.shop.test:1", "b.a.shop.test:1"], [
      "workshop.test:80",
      "shop.test.evil:80",
      "test:80",
    ]],
    [".shop.test", ["shop.test:80", "a.shop.test:80"], ["workshop.test:80"]],
    ["*.shop.test", ["shop.test:80", "a.shop.test:80"], ["workshop.test:80"]],
    ["Shop.Test.", ["shop.test:80"], ["test:80"]],
    ["test", ["test:80", "a.test:80"], ["latest:80", "a.testing:80"]],
    [".test", ["a.test:80"], ["latest:80"]],
    ["shop.test:8443", ["shop.test:8443", "a.shop.test:8443"], ["shop.test:443"]],
    [".test:80", ["a.test:80"], ["a.test:443"]],
    ["10.1.2.3", ["10.1.2.3:80"], ["10.1.2.4:80", "110.1.2.3:80", "10.1.2.3.test:80"]],
    ["10.1.2.3:80", ["10.1.2.3:80"], ["10.1.2.3:443"]],
    ["10.0.0.0/8", ["10.255.0.1:80", "[::ffff:10.1.1.1]:80"], ["11.0.0.1:80", "ten.test:80", "[a00::]:80"]],
    ["172.16.0.0/12", ["172.16.0.1:80", "172.31.255.255:80"], ["172.32.0.0:80", "172.15.255.255:80"]],
    ["192.168.1.128/25", ["192.168.1.200:80"], ["192.168.1.127:80"]],
    ["0.0.0.0/0", ["1.2.3.4:80"], ["[::1]:80", "a.test:80"]],
    ["::1", ["[::1]:80", "[0:0::1]:80"], ["[::2]:80", "127.0.0.1:80"]],
    ["[::1]", ["[::1]:80"], ["[::2]:80"]],
    ["[::1]:80", ["[::1]:80"], ["[::1]:443"]],
    ["fd00::/8", ["[fd12::1]:80", "[fdff::]:80"], ["[fe00::1]:80", "253.0.0.1:80"]],
    ["2001:db8::/33", ["[2001:db8:7fff::1]:80"], ["[2001:db8:8000::1]:80"]],
    ["::ffff:10.0.0.0/104", ["10.9.9.9:80"], ["11.0.0.1:80"]],
    ["localhost", ["localhost:80", "api.localhost:80", "127.0.0.1:80", "127.9.9.9:80", "[::1]:80"], [
      "128.0.0.1:80",
      "[::2]:80",
      "notlocalhost:80",
    ]],
    ["localhost:80", ["127.0.0.1:80"], ["127.0.0.1:81"]],
    ["a.test, 10.0.0.0/8\tb.test:81,,my_host", ["a.test:1", "10.1.1.1:1", "b.test:81", "my_host:1"], ["b.test:80"]],
  ])("%j", (list, direct, proxied) => {
    const noProxy = compileNoProxy(list);
    const ask = (text: string) => {
      const at = text.lastIndexOf(":");
      return noProxy(text.slice(0, at), Number(text.slice(at + 1)));
    };
    expect(direct.filter((it) => !ask(it))).toEqual([]);
    expect(proxied.filter(ask)).toEqual([]);
  });

  test("addresses of IPv6 without brackets", () => {
    expect(compileNoProxy("::1")("::1", 80)).toBe(true);
    expect(compileNoProxy("fe80::/10")("fe80::1%eth0", 80)).toBe(true);
  });

  test.each([
    "10.0.0.0/33",
    "fd00::/129",
    "10.0.0/8",
    "::ffff:10.0.0.0/8",
    "shop.test/8",
    "http://shop.test",
    "shop.test:0",
    "shop.test:65536",
    "shop.test:http",
    "[shop.test]",
    "[::1",
    "a.*.test",
    "a..test",
    ".",
    ":80",
  ])("refused: %s", (rule) => {
    expect(() => compileNoProxy(`a.test,${rule}`)).toThrow(`upstream.noProxy has ${JSON.stringify(rule)}`);
  });
});
