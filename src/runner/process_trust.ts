/**
 * Certificates that this process trusts.
 *
 * @module
 */
import * as tls from "node:tls";

/**
 * Lets this process trust an authority beside those that it trusts already; gives what takes that back. Node 22.19 and newer can do so;
 * on others nothing happens.
 */
export function trustInProcess(ca: string): () => void {
  const { getCACertificates: get, setDefaultCACertificates: set } = tls as Partial<Certificates>;
  if (get === undefined || set === undefined) return () => {};
  const before = get("default");
  set([...before, ca]);
  return () => set(before);
}

interface Certificates {
  getCACertificates(type: "default"): string[];
  setDefaultCACertificates(certificates: readonly string[]): void;
}
