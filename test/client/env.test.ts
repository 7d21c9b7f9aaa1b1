// The variables for a child process.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { agents, childEnv } from "../../src/client/mod.ts";
import { startProxy } from "../../src/mod.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { tempFolder } from "../support/temp.ts";

test("every variable that could name another proxy, or other authorities, is set", async () => {
  await using proxy = await startProxy();
  const inherited = {
    "http_proxy": "http://other.test",
    HTTP_PROXY: "http://other.test",
    "https_proxy": "http://other.test",
    HTTPS_PROXY: "http://other.test",
    ALL_PROXY: "socks5://other.test",
    NO_PROXY: "*",
    SSL_CERT_FILE: "/other.pem",
    WGETRC: "/other",
    PATH: "/bin",
    NOTHING: undefined,
  };
  const env = proxy.env(inherited);
  expect(env["PATH"]).toBe("/bin");
  expect("NOTHING" in env).toBe(false);
  expect(Object.entries(env).filter(([, value]) => value.includes("other") || value === "*")).toEqual([]);
  for (const name of ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]) {
    expect([name, env[name]]).toEqual([name, proxy.url]);
  }
  expect([env["no_proxy"], env["NO_PROXY"], env["NODE_USE_ENV_PROXY"]]).toEqual(["", "", "1"]);
  expect(readFileSync(env["SSL_CERT_FILE"]!, "utf8")).toBe(proxy.ca.cert);
});

test("Java's options come behind those of the parent", async () => {
  await using proxy = await startProxy();
  const { JAVA_TOOL_OPTIONS: options } = proxy.env({ JAVA_TOOL_OPTIONS: "-Xmx64m -Dhttp.proxyHost=other.test" });
  expect(options).toMatch(
    /^-Xmx64m -Dhttp\.proxyHost=other\.test -Dhttp\.proxyHost=127\.0\.0\.1 -Dhttp\.proxyPort=\d+ /,
  );
  expect(options).toContain(`-Djavax.net.ssl.trustStore=${proxy.ca.trustStore}`);
  const files = { pem: "/a/ca.pem", trustStore: "/a folder/ca.p12" };
  expect(childEnv("http://[::1]:8080", files)["JAVA_TOOL_OPTIONS"]).toMatch(
    /^-Dhttp\.proxyHost=::1 .* "-Djavax\.net\.ssl\.trustStore=\/a folder\/ca\.p12" /,
  );
});

test("without a trust store or a start-up file, Java and wget are left alone", () => {
  const env = childEnv("http://127.0.0.1:8080", { pem: "/a/ca.pem" });
  expect([env["JAVA_TOOL_OPTIONS"], env["WGETRC"]]).toEqual([undefined, undefined]);
});

test("the files are the user's own, the same for each call, and hold no key", async () => {
  await using proxy = await startProxy();
  const [one, two] = [proxy.env(), proxy.env()];
  expect(one).toEqual(two);
  for (const path of [one["SSL_CERT_FILE"]!, one["WGETRC"]!, proxy.ca.trustStore]) {
    if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, "latin1")).not.toContain("PRIVATE KEY");
  }
});

test("they go when the process ends", async () => {
  const { runScript } = await import("./run_script.ts");
  const { files, existed } = await runScript("env_in_process.ts") as { files: string[]; existed: boolean[] };
  expect(files).toHaveLength(3);
  expect(existed).toEqual([true, true, true]);
  expect(files.filter((it) => existsSync(it))).toEqual([]);
});

test.runIf(hasCommand("openssl"))("the trust store as OpenSSL reads it", async () => {
  await using proxy = await startProxy();
  const args = ["pkcs12", "-in", proxy.ca.trustStore, "-passin", "pass:changeit", "-nokeys"];
  const { stdout, stderr, code } = await run("openssl", args);
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  const body = (pem: string) => /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(pem)![0];
  expect(body(stdout)).toBe(body(proxy.ca.cert));
  const wrong = await run("openssl", args.map((it) => it.replace("changeit", "wrong")));
  expect(wrong.code).not.toBe(0);
});

test.runIf(hasCommand("keytool"))("the trust store as Java reads it: one certificate that is trusted", async () => {
  await using proxy = await startProxy();
  const listed = execFileSync(
    "keytool",
    ["-J-Xshare:auto", "-list", "-keystore", proxy.ca.trustStore, "-storepass", "changeit"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  expect(listed).toMatch(/trustedCertEntry/);
});

test("an authority in a folder has them too", async () => {
  await using folder = await tempFolder();
  await using proxy = await startProxy({ https: { ca: { dir: folder.path } } });
  const env = proxy.env();
  expect(env["SSL_CERT_FILE"]!.startsWith(folder.path)).toBe(true);
  expect(readFileSync(env["WGETRC"]!, "utf8")).toBe(`ca_certificate = ${env["SSL_CERT_FILE"]}\n`);
});

test("a URL that is none is refused, and not repeated", () => {
  const files = { pem: "/a/ca.pem", trustStore: "/a/ca.p12" };
  expect(() => childEnv("ftp://me:secret@host", files)).toThrow(
    /^proxy is not the URL of a proxy: its scheme is "ftp"/,
  );
  expect(() => agents({ proxy: "http://me:sec ret@host:1" })).toThrow(/^proxy is not the URL of a proxy/);
  expect(() => agents({} as never)).toThrow(/startProxy\(\)/);
  expect(() => agents(undefined as never)).toThrow(/startProxy\(\)/);
  for (const url of ["ftp://me:secret@host", "http://me:sec ret@host:1"]) {
    try {
      agents({ proxy: url });
    } catch (error) {
      expect(String(error)).not.toMatch(/secret|sec ret/);
    }
  }
});
