/**
 * `flowtape ca`: a certificate authority that is kept, and how clients are made to trust it.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { openCa } from "../../wire/ca/mod.ts";
import { trustStore } from "../../wire/ca/trust_store.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { expandHome } from "../proxy_options.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const named = given.text("dir") ?? terminal.env["FLOWTAPE_CA_DIR"];
  if (named === undefined || named === "") {
    throw given.wrong(
      "flowtape ca: --dir is missing: the folder of the authority, such as ~/.flowtape; it is made when it is not there",
    );
  }
  const format = given.text("format") ?? "hints";
  const output = given.text("output");
  if (format === "p12" && output === undefined) throw given.wrong("flowtape ca: --format p12 needs --output <file>");
  const dir = expandHome(named, terminal);
  const { cert, path, spki } = await openCa({ dir });
  const { fingerprint256: fingerprint, subject, validFrom, validTo } = new X509Certificate(cert);
  const text = format === "pem" ? cert : format === "fingerprint" ? `${fingerprint}\n` : hints(path, fingerprint, dir);
  if (output !== undefined) {
    await mkdir(dirname(output), { recursive: true });
    await writeFile(output, format === "p12" ? await trustStore(cert, given.text("password") ?? "changeit") : text);
  }
  if (given.flag("json")) {
    const [notBefore, notAfter] = [validFrom, validTo].map((text) => new Date(text).toISOString());
    terminal.write(`${JSON.stringify({ dir, path, cert, fingerprint, subject, notBefore, notAfter, spki })}\n`);
  } else if (output !== undefined) terminal.tell(`flowtape: written to ${output} (SHA-256 ${fingerprint})\n`);
  else terminal.write(text);
  return EXIT.ok;
}

function hints(path: string, fingerprint: string, dir: string): string {
  return [
    `certificate:  ${path}`,
    `SHA-256:      ${fingerprint}`,
    "",
    "use it:       flowtape proxy --ca-dir " + dir,
    "",
    "One program (nothing is installed):",
    `  curl        --cacert ${path}`,
    `  Node, Bun   NODE_EXTRA_CA_CERTS=${path}`,
    `  Deno        DENO_CERT=${path}`,
    `  Python      SSL_CERT_FILE=${path} REQUESTS_CA_BUNDLE=${path}`,
    `  git         GIT_SSL_CAINFO=${path}`,
    `  Java        flowtape ca --dir ${dir} --format p12 --output trust.p12`,
    "              -Djavax.net.ssl.trustStore=trust.p12 -Djavax.net.ssl.trustStorePassword=changeit",
    "",
    "Everything on this machine (whoever has the key of this authority can then read its traffic):",
    `  Debian      sudo cp ${path} /usr/local/share/ca-certificates/flowtape.crt && sudo update-ca-certificates`,
    `  Fedora      sudo cp ${path} /etc/pki/ca-trust/source/anchors/flowtape.pem && sudo update-ca-trust`,
    `  macOS       sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${path}`,
    `  Windows     certutil -addstore -f Root ${path}`,
    `  Firefox     Settings, Privacy & Security, View Certificates, Authorities, Import`,
    "",
  ].join("\n");
}
