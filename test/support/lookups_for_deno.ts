/**
 * Names in tests, on Deno: nothing answers for them, so they are not looked up, and what is looked up all the same is waited for.
 *
 * A lookup cannot be taken back. Where a client is slow, a proxy begins one for a tunnel that the test closes in the next moment, and the op
 * sanitizer takes that for a leak.
 *
 * @module
 */

import { lookup as lookUp } from "node:dns";
import net from "node:net";
import { hostname } from "node:os";
import process from "node:process";

type Callback = (error: NodeJS.ErrnoException | null, ...found: unknown[]) => void;
type Lookup = (name: string, options: object, done: Callback) => void;

const pending = new Set<Promise<void>>();
/** Names that are there, and those that the system itself is to say of that they are not. */
const known = new RegExp(String.raw`^(${RegExp.escape(hostname())}|(.*\.)?(localhost|invalid))$`, "i");

const lookup: Lookup = (name, options, done) => {
  if (!known.test(name)) {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND", errno: -3008 });
    process.nextTick(done, Object.assign(error, { syscall: "getaddrinfo", hostname: name }));
    return;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  pending.add(promise);
  (lookUp as Lookup)(name, options, (...answer) => {
    pending.delete(promise);
    resolve();
    done(...answer);
  });
};

/** Resolves when nothing is being looked up. */
export async function lookupsAreOver(): Promise<void> {
  await Promise.all(pending);
}

/** Gives every `connect()` of `node:net` that brings no lookup of its own the one above. */
export function tameLookups(): void {
  const connect = net.Socket.prototype.connect as (...args: unknown[]) => net.Socket;
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
    // Inside of node:net the arguments are an array by then, which has been looked at.
    const given = Array.isArray(args[0]) ? args[0][0] : args[0];
    if (typeof given === "object" && given !== null) given.lookup ??= lookup;
    return connect.apply(this, args);
  } as typeof connect;
}
