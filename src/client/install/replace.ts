/**
 * Replaces a property of an object for a while.
 *
 * @module
 */

/**
 * Puts something else into the place of a property, and gives what puts it back as it was. If somebody else has replaced it
 * meanwhile, it stays theirs: so whatever is put there must do nothing of its own once it is taken back.
 *
 * @param make is given what is there
 */
export function replace<T extends object, K extends keyof T>(
  owner: T,
  key: K,
  make: (original: T[K]) => T[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, key);
  const ours = make(owner[key]);
  Object.defineProperty(owner, key, {
    value: ours,
    writable: true,
    enumerable: before?.enumerable ?? true,
    configurable: before?.configurable ?? true,
  });
  return () => {
    if (owner[key] !== ours) return;
    if (before === undefined) delete owner[key];
    else Object.defineProperty(owner, key, before);
  };
}
