/**
 * Checks of options that hold secrets: their errors never show a value.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { OptionsError } from "../flow/error.ts";
import { pemBlocks } from "../wire/ca/pem.ts";
import { compileByHost } from "../wire/outbound/by_host.ts";
import { type ClientCertificate, credentialsOf } from "../wire/outbound/trust.ts";
import { type Check, isRecord, secret, shape, text } from "./schema.ts";

/** `{ username, password }`. */
export const checkAuthOptions: Check = (value, where) => {
  if (!isRecord(value)) throw new OptionsError(`option ${where} is of type ${typeof value}: an object is accepted`);
  shape({ username: secret, password: secret })(value, where);
  for (const name of ["username", "password"]) {
    if (value[name] === undefined) throw new OptionsError(`option ${where}.${name} is missing`);
    // RFC 7617 section 2: neither may hold control characters.
    // deno-lint-ignore no-control-regex
    if (/[\x00-\x1f\x7f]/.test(value[name] as string)) {
      throw new OptionsError(`option ${where}.${name} has a control character, which the Basic scheme cannot carry`);
    }
  }
  if ((value["username"] as string).includes(":")) {
    throw new OptionsError(`option ${where}.username has a colon, which the Basic scheme cannot carry (RFC 7617)`);
  }
  for (const name of ["username", "password"]) {
    // RFC 1929: SOCKS has one byte for each length.
    if (Buffer.byteLength(value[name] as string) > 255) {
      throw new OptionsError(`option ${where}.${name} is longer than the 255 bytes that SOCKS can carry`);
    }
  }
};

/** `{ "api.test": { cert, key }, "*.bank.test": { pfx, passphrase } }`. */
export const checkClientCertificates: Check = (value, where) => {
  if (!isRecord(value)) throw new OptionsError(`option ${where} is of type ${typeof value}: an object is accepted`);
  for (const [host, certificate] of Object.entries(value)) {
    checkClientCertificate(certificate, `${where}[${JSON.stringify(host)}]`);
  }
  compileByHost(new Map(Object.entries(value)), where);
};

function checkClientCertificate(value: unknown, where: string): void {
  if (!isRecord(value)) throw new OptionsError(`option ${where} is of type ${typeof value}: ${ACCEPTED} is accepted`);
  shape({ cert: text, key: secret, passphrase: secret, pfx: bytes })(value, where);
  const { cert, key, pfx } = value;
  const complete = pfx === undefined
    ? cert !== undefined && key !== undefined
    : cert === undefined && key === undefined;
  if (!complete) throw new OptionsError(`option ${where} has ${Object.keys(value)}: ${ACCEPTED} is accepted`);
  const why = faultOf(value as unknown as ClientCertificate);
  if (why !== undefined) throw new OptionsError(`option ${where} cannot be used: ${why}`);
}

const ACCEPTED =
  "{ cert, key } in PEM or { pfx } with the bytes of a PKCS#12 file, each with a passphrase if it has one,";

const bytes: Check = (value, where) => {
  if (value instanceof Uint8Array && value.length > 0) return;
  throw new OptionsError(
    `option ${where} is not bytes: the content of a PKCS#12 file is accepted (read the file first)`,
  );
};

/** What is wrong with a certificate; no runtime's reason holds anything secret. */
function faultOf(certificate: ClientCertificate): string | undefined {
  try {
    if ("cert" in certificate) {
      const { cert, key, passphrase } = certificate;
      const [first] = pemBlocks(cert).filter(({ label }) => label === "CERTIFICATE");
      if (first === undefined) return "cert holds no certificate in PEM (read the file first)";
      const privateKey = createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
      if (!new X509Certificate(first.text).checkPrivateKey(privateKey)) return "key is not the key of cert";
    }
    createSecureContext(credentialsOf(certificate));
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = "pfx" in certificate
      ? "Check the passphrase; a file in an outdated encryption can be rewritten with openssl pkcs12"
      : "Check that cert and key are PEM, and the passphrase";
    return `${reason.split("\n")[0]}. ${advice}`;
  }
}
