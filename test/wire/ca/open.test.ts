import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { DAY } from "../../../src/wire/ca/clock.ts";
import { type CaOptions, openCa } from "../../../src/wire/ca/mod.ts";
import { codeOf, hasOpenssl, opensslVerify, runScript, userAuthority, withFolder } from "./helpers.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("in memory", () => {
  test("one for the process, however many open it at once", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => openCa()));
    expect(new Set(all).size).toBe(1);
    const certificate = new X509Certificate(all[0]?.cert ?? "");
    expect(certificate.ca).toBe(true);
    expect(certificate.subject).toMatch(/O=flowtape\nCN=flowtape CA [0-9a-f]{6}/);
  });

  test("its file holds the certificate, nothing else, and is for this user only", async () => {
    const ca = await openCa();
    expect(readFileSync(ca.path, "utf8")).toBe(ca.cert);
    expect(ca.path).toBe(ca.path);
    expect(ca.cert).not.toContain("PRIVATE");
    if (process.platform !== "win32") expect(modeOf(join(ca.path, ".."))).toBe("700");
  });

  test("node-forge is loaded with it, not with flowtape", async () => {
    const { stdout } = await runScript("open_in_process.ts");
    expect((JSON.parse(stdout) as { loaded: boolean[] }).loaded).toEqual([false, true]);
  });

  test("its file is gone when the process is", async () => {
    const { stdout } = await runScript("open_in_process.ts");
    const said = JSON.parse(stdout) as { path: string; exists: boolean };
    expect(said.exists).toBe(true);
    expect(existsSync(said.path)).toBe(false);
    expect(existsSync(join(said.path, ".."))).toBe(false);
  });
});

test("folders of processes that were killed are removed by the next one", async () => {
  const first = JSON.parse((await runScript("open_in_process.ts")).stdout) as { path: string; pid: number };
  const own = dirname(first.path);
  const folderOf = (pid: number, name: string): string =>
    own.replace(new RegExp(`-${first.pid}-[^-]*$`), `-${pid}-${name}`);
  const [dead, recent, alive] = [
    folderOf(first.pid, "dead"),
    folderOf(first.pid, "recent"),
    folderOf(process.pid, "alive"),
  ];
  try {
    for (const folder of [dead, recent, alive]) mkdirSync(folder);
    const yesterday = new Date(Date.now() - DAY);
    for (const folder of [dead, alive]) utimesSync(folder, yesterday, yesterday);
    await runScript("open_in_process.ts");
    expect([dead, recent, alive].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  } finally {
    for (const folder of [dead, recent, alive]) rmSync(folder, { recursive: true, force: true });
  }
});

describe("in a folder", () => {
  test("made with narrow modes, and found again", () =>
    withFolder(async (folder) => {
      const dir = join(folder, "deep", "ca");
      const ca = await openCa({ dir });
      expect(ca.path).toBe(join(dir, "ca.pem"));
      expect(readFileSync(ca.path, "utf8")).toBe(ca.cert);
      expect(readdirSync(dir).sort()).toEqual(["ca.key.pem", "ca.pem"]);
      if (process.platform !== "win32") {
        expect([modeOf(dir), modeOf(join(dir, "ca.key.pem")), modeOf(ca.path)]).toEqual(["700", "600", "644"]);
      }
      expect(await openCa({ dir: join(dir, "..", "ca") })).toBe(ca);
      const { stdout } = await runScript("open_in_process.ts", dir);
      const other = JSON.parse(stdout) as { cert: string; leaf: string };
      expect(other.cert).toBe(ca.cert);
      if (hasOpenssl) expect(await opensslVerify(ca.cert, other.leaf)).toBe("leaf.pem: OK");
    }));

  test("processes and calls that start at once agree on one pair", () =>
    withFolder(async (folder) => {
      const dir = join(folder, "ca");
      const [mine, again, ...others] = await Promise.all([
        openCa({ dir }).then((ca) => ({ cert: ca.cert, leaf: ca.leaf("a.example.test").cert })),
        openCa({ dir }).then((ca) => ({ cert: ca.cert, leaf: ca.leaf("a.example.test").cert })),
        ...Array.from({ length: 4 }, async () => {
          const { stdout, stderr } = await runScript("open_in_process.ts", dir);
          expect(stderr).toBe("");
          return JSON.parse(stdout) as { cert: string; leaf: string };
        }),
      ]);
      expect(again).toEqual(mine);
      for (const other of others) {
        expect(other.cert).toBe(mine?.cert);
        if (hasOpenssl) expect(await opensslVerify(mine?.cert ?? "", other.leaf)).toBe("leaf.pem: OK");
      }
      expect(readdirSync(dir).sort()).toEqual(["ca.key.pem", "ca.pem"]);
    }));

  test("a key that others can read is tightened", () =>
    withFolder(async (dir) => {
      await openCa({ dir });
      const key = join(dir, "ca.key.pem");
      chmodSync(key, 0o644);
      await openCa({ dir });
      if (process.platform !== "win32") expect(modeOf(key)).toBe("600");
    }));

  test("ca.pem is written again from the key's file", () =>
    withFolder(async (dir) => {
      const { cert } = await openCa({ dir });
      writeFileSync(join(dir, "mine.txt"), "kept");
      unlinkSync(join(dir, "ca.pem"));
      expect((await openCa({ dir })).cert).toBe(cert);
      expect(readFileSync(join(dir, "ca.pem"), "utf8")).toBe(cert);
      expect(readFileSync(join(dir, "mine.txt"), "utf8")).toBe("kept");
    }));

  test("the files of a user: a key by itself and its certificate", () =>
    withFolder(async (dir) => {
      const pair = userAuthority({ kind: "P-384" });
      writeFileSync(join(dir, "ca.pem"), pair.cert);
      writeFileSync(join(dir, "ca.key.pem"), pair.key, { mode: 0o600 });
      expect((await openCa({ dir })).cert).toBe(pair.cert);
    }));

  const pair = userAuthority();
  const other = userAuthority();
  test.each<[string, string, Record<string, string>]>([
    ["an empty key file", "CA_UNREADABLE", { "ca.key.pem": "", "ca.pem": pair.cert }],
    ["a key file cut short", "CA_UNREADABLE", { "ca.key.pem": pair.key.slice(0, 80), "ca.pem": pair.cert }],
    ["a damaged key", "CA_UNREADABLE", { "ca.key.pem": pair.key.replace(/[A-Z]{2}/, "??"), "ca.pem": pair.cert }],
    ["a damaged certificate", "CA_UNREADABLE", { "ca.key.pem": pair.key, "ca.pem": pair.cert.replace(/\n..../, "\n") }],
    ["an empty certificate", "CA_UNREADABLE", { "ca.key.pem": pair.key, "ca.pem": "" }],
    ["a certificate without its key", "CA_INCOMPLETE", { "ca.pem": pair.cert }],
    ["a key without its certificate", "CA_INCOMPLETE", { "ca.key.pem": pair.key }],
    ["halves of two pairs", "CA_KEY_MISMATCH", { "ca.key.pem": pair.key, "ca.pem": other.cert }],
    ["a copy of another certificate", "CA_KEY_MISMATCH", { "ca.key.pem": pair.key + pair.cert, "ca.pem": other.cert }],
  ])("%s: refused, and left as it is", (_, code, files) =>
    withFolder(async (dir) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      expect(await codeOf(openCa({ dir }))).toBe(code);
      expect(readdirSync(dir).sort()).toEqual(Object.keys(files).sort());
      for (const [name, text] of Object.entries(files)) expect(readFileSync(join(dir, name), "utf8")).toBe(text);
    }));

  test("a folder that cannot be made", () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, "file"), "");
      expect(await codeOf(openCa({ dir: join(folder, "file") }))).toBe("CA_FILE");
      mkdirSync(join(folder, "ca.key.pem"));
      expect(await codeOf(openCa({ dir: folder }))).toBe("CA_FILE");
    }));
});

describe("given as PEM", () => {
  test("the same object for the same pair", async () => {
    const pair = userAuthority();
    const [first, second] = await Promise.all([openCa(pair), openCa({ ...pair })]);
    expect(second).toBe(first);
    expect(first.cert).toBe(pair.cert);
    expect(readFileSync(first.path, "utf8")).toBe(pair.cert);
    expect(await openCa(userAuthority())).not.toBe(first);
  });

  test("Windows line ends, text between the blocks, a chain", async () => {
    const [pair, root] = [userAuthority(), userAuthority()];
    const cert = `subject=Some authority\r\n${pair.cert.replaceAll("\n", "\r\n")}\r\nissuer\r\n${root.cert}`;
    const ca = await openCa({ cert, key: `Bag Attributes\n${pair.key}` });
    expect(ca.cert).toBe(pair.cert + root.cert);
  });

  test("what openssl writes: RSA and EC keys in their older forms", () =>
    withFolder(async (folder) => {
      if (!hasOpenssl) return;
      const file = join(folder, "key.pem");
      for (const kind of [["ecparam", "-name", "prime256v1", "-genkey"], ["genrsa", "-traditional", "2048"]]) {
        spawnSync("openssl", [...kind, "-out", file]);
        const made = spawnSync("openssl", [
          "req",
          "-x509",
          "-key",
          file,
          "-subj",
          "/CN=Mine",
          "-days",
          "2",
          "-addext",
          "keyUsage=critical,keyCertSign,cRLSign",
        ]);
        const ca = await openCa({ cert: String(made.stdout), key: readFileSync(file, "utf8") });
        expect(await opensslVerify(ca.cert, ca.leaf("a.test").cert)).toBe("leaf.pem: OK");
      }
    }));

  const pair = userAuthority();
  test.each<[string, string, { cert: string; key: string }]>([
    ["another's key", "CA_KEY_MISMATCH", { cert: pair.cert, key: userAuthority().key }],
    ["a key of another kind", "CA_KEY_MISMATCH", { cert: pair.cert, key: userAuthority({ kind: "RSA" }).key }],
    ["one that has ended", "CA_EXPIRED", userAuthority({ from: Date.now() - 9 * DAY, to: Date.now() - 8 * DAY })],
    ["one that has not begun", "CA_EXPIRED", userAuthority({ from: Date.now() + DAY })],
    ["one that is no authority", "CA_NOT_AN_AUTHORITY", userAuthority({ extensions: "none" })],
    ["paths in place of PEM", "CA_UNREADABLE", { cert: "ca.pem", key: "ca.key.pem" }],
    ["no key", "CA_UNREADABLE", { cert: pair.cert, key: pair.cert }],
    ["an encrypted key", "CA_UNREADABLE", {
      cert: pair.cert,
      key: pair.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
    }],
    ["base64 that is no certificate", "CA_UNREADABLE", { ...pair, cert: pair.cert.replace(/\nMII/, "\nAAA") }],
  ])("%s: %s", async (_, code, given) => {
    expect(await codeOf(openCa(given))).toBe(code);
  });
});

test.each([5, "ca.pem", null, {}, { dir: "" }, { dir: 5 }, { cert: "x" }, { dir: "x", cert: "x", key: "x" }])(
  "BAD_OPTION: %j",
  async (options) => {
    expect(await codeOf(openCa(options as CaOptions))).toBe("BAD_OPTION");
  },
);
