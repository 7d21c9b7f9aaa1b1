// JA3 and JA4, with the examples that their authors give.
import { describe, expect, test } from "vitest";
import type { ClientHelloFields } from "../../../src/flow/client_hello.ts";
import { ja3, ja3Text, ja4, ja4Raw } from "../../../src/wire/inbound/fingerprint.ts";

function hello(fields: Partial<ClientHelloFields>): ClientHelloFields {
  return {
    recordVersion: 0x0301,
    version: 0x0303,
    alpn: [],
    cipherSuites: [],
    extensions: [],
    supportedVersions: [],
    supportedGroups: [],
    pointFormats: [],
    signatureAlgorithms: [],
    ...fields,
  };
}

const numbers = (text: string, radix: number, separator: string) =>
  text === "" ? [] : text.split(separator).map((it) => parseInt(it, radix));

/** A hello that has this JA3 text. */
function fromJa3(text: string): ClientHelloFields {
  const [version = "", ...lists] = text.split(",");
  const [cipherSuites = [], extensions = [], supportedGroups = [], pointFormats = []] = lists.map((it) =>
    numbers(it, 10, "-")
  );
  return hello({ version: Number(version), cipherSuites, extensions, supportedGroups, pointFormats });
}

describe("JA3", () => {
  test.each([
    ["769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5"],
    ["769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"],
  ])("of %s", (text, hash) => {
    expect(ja3Text(fromJa3(text))).toBe(text);
    expect(ja3(fromJa3(text))).toBe(hash);
  });

  test("leaves out GREASE, and nothing that only looks like it", () => {
    const greased = hello({
      cipherSuites: [0x2a2a, 0x1301, 0x0a1a],
      extensions: [0xfafa, 0, 0xdada],
      supportedGroups: [0x0a0a, 29],
      pointFormats: [0x0a],
    });
    expect(ja3Text(greased)).toBe("771,4865-2586,0,29,10");
  });
});

describe("JA4", () => {
  const chrome = {
    ciphers: "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9",
    extensions: "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01",
    signatures: "0403,0804,0401,0503,0805,0501,0806,0601",
  };
  const greeting = hello({
    cipherSuites: [0x8a8a, ...numbers(chrome.ciphers, 16, ",").reverse()],
    extensions: [0x1a1a, 16, ...numbers(chrome.extensions, 16, ",").reverse(), 0, 0x3a3a],
    supportedVersions: [0xbaba, 0x0304, 0x0303],
    signatureAlgorithms: numbers(chrome.signatures, 16, ","),
    alpn: ["h2", "http/1.1"],
  });

  test("of Chrome, in whatever order it says things", () => {
    expect(ja4Raw(greeting)).toBe(`t13d1516h2_${chrome.ciphers}_${chrome.extensions}_${chrome.signatures}`);
    expect(ja4(greeting)).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
  });

  test("without a name, versions, protocols, extensions or ciphers", () => {
    expect(ja4(hello({ version: 0x0301 }))).toBe("t10i000000_000000000000_000000000000");
    expect(ja4Raw(hello({ version: 0x0303, cipherSuites: [0xc02f], extensions: [10, 0] }))).toBe(
      "t12d010200_c02f_000a",
    );
    expect(ja4(hello({ version: 0x7f1c }))).toMatch(/^t00/);
  });

  test("counts no further than 99", () => {
    const many = Array.from({ length: 120 }, (_, i) => i + 1);
    expect(ja4(hello({ cipherSuites: many, extensions: many }))).toMatch(/^t12i999900_/);
  });

  test.each([
    ["http/1.1", "h1"],
    ["h2", "h2"],
    ["a", "aa"],
    ["\xab", "ab"],
    ["\xab\xcd", "ad"],
    ["0\xab", "3b"],
    ["0\xab\xcd1", "01"],
    ["", "00"],
  ])("the protocol %j is %s", (protocol, mark) => {
    expect(ja4(hello({ alpn: [protocol] })).slice(8, 10)).toBe(mark);
  });
});
