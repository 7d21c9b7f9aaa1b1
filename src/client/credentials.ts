/**
 * How clients are given the credentials for a proxy.
 *
 * @module
 */

/** A name and a password. */
export interface Credentials {
  /** The name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
}

/** The URL of a proxy with credentials in it. Whatever could be read as a part of the URL is percent-encoded. */
export function withCredentials(url: string, auth: Credentials | undefined): string {
  if (auth === undefined) return url;
  return url.replace("://", `://${encode(auth.username)}:${encode(auth.password)}@`);
}

// Shells and some clients read these characters in a way of their own.
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}
