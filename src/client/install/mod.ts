/**
 * Points the clients of this process at a proxy, and takes that back.
 *
 * @module
 */
import process from "node:process";
import { setDirectFetch } from "../../wire/direct_fetch.ts";
import { clearEnvironment } from "./environment.ts";
import { dispatcherNow, patchGlobalDispatcher } from "./global_dispatcher.ts";
import { patchGlobalFetch } from "./global_fetch.ts";
import { Installation, type InstallTarget } from "./installation.ts";
import { patchNodeHttp } from "./node_http.ts";

export type { InstallTarget } from "./installation.ts";

/** The newest is asked. */
const installed: Installation[] = [];

let undo: (() => void)[] = [];

/**
 * From now on the clients of this process use the proxy, until what is returned is disposed of. Of several proxies the one that was
 * installed last is used; they may be disposed of in any order.
 */
export function install(target: InstallTarget): Disposable {
  const installation = new Installation(target);
  installed.push(installation);
  if (installed.length === 1) patch();
  return {
    [Symbol.dispose]() {
      const at = installed.indexOf(installation);
      if (at === -1) return;
      installed.splice(at, 1);
      if (installed.length === 0) unpatch();
      installation.close();
    },
  };
}

function patch(): void {
  const current = () => installed.at(-1);
  const isBun = process.versions["bun"] !== undefined;
  const isNode = !isBun && !("Deno" in globalThis);
  const { fetch } = globalThis;
  undo = [clearEnvironment(), patchNodeHttp(current)];
  // On Bun undici is a stand-in that knows no dispatchers.
  if (!isBun) {
    const before = isNode ? nodeDispatcher() : undefined;
    setDirectFetch(isNode ? (input, init) => fetch(input, { ...init, dispatcher: before } as RequestInit) : fetch);
    undo.push(patchGlobalDispatcher(current));
  } else setDirectFetch(fetch);
  // On Node they use the dispatcher.
  if (!isNode) undo.push(patchGlobalFetch(current));
}

function nodeDispatcher(): unknown {
  void globalThis.Headers;
  return dispatcherNow();
}

function unpatch(): void {
  undo.forEach((it) => it());
  undo = [];
  setDirectFetch(undefined);
}
