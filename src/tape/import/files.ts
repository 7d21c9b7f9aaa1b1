/**
 * Finds what is to be imported on disk: a file, an archive, or a folder that a tool has filled. Links are not followed out of it.
 *
 * @module
 */
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { TapeError } from "../../flow/error.ts";
import { parseDocument } from "./document.ts";
import { notImported, reasonOf } from "./failure.ts";
import type { BodyFiles } from "./har.ts";
import { mappingsOf, type MockFiles, type PlacedMapping } from "./wiremock.ts";
import { isZip, ZipArchive } from "./zip.ts";

/** What is there. */
export type Found =
  | { readonly kind: "file"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: "zip"; readonly path: string; readonly bytes: Uint8Array; readonly archive: ZipArchive }
  | { readonly kind: "wiremock"; readonly folder: string };

/**
 * Looks what is there.
 *
 * @throws {TapeError} nothing that could be imported
 */
export async function findRecording(path: string): Promise<Found> {
  const stats = await stat(path).catch((cause: unknown) => {
    const code = (cause as { code?: unknown }).code;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw notImported(path, reasonOf(cause), undefined, cause);
    throw new TapeError("TAPE_NOT_FOUND", `there is nothing to import at ${path}: correct the path`);
  });
  if (stats.isDirectory()) return await findInFolder(path);
  if (!stats.isFile()) throw notImported(path, "it is neither a file nor a folder");
  const bytes = await read(path, path);
  if (!isZip(bytes)) return { kind: "file", path, bytes };
  const archive = new ZipArchive(bytes, path);
  const hars = archive.names.filter((name) => /\.har$/i.test(name));
  const [har] = hars;
  if (har === undefined || hars.length > 1) {
    throw notImported(path, `one HAR file is expected in the archive, and there are ${hars.length}`, "IMPORT_UNKNOWN");
  }
  return { kind: "zip", path, bytes: archive.read(har)!, archive };
}

async function findInFolder(path: string): Promise<Found> {
  const names = await readdir(path);
  if (names.includes("mappings")) return { kind: "wiremock", folder: path };
  if (basename(path) === "mappings") return { kind: "wiremock", folder: dirname(path) };
  const hars = names.filter((name) => /\.har$/i.test(name));
  if (hars.length !== 1) {
    const what = "a folder is expected to have mappings/ of WireMock, or one HAR file";
    throw notImported(path, `${what}; name the file`, "IMPORT_UNKNOWN");
  }
  const file = join(path, hars[0]!);
  return { kind: "file", path: file, bytes: await read(file, path) };
}

/** The files that a HAR file may name. */
export async function filesBeside(found: Found): Promise<BodyFiles> {
  if (found.kind === "wiremock") throw new Error("it has no HAR file");
  if (found.kind === "zip") {
    const { archive } = found;
    return { has: (name) => archive.has(name), read: (name) => Promise.resolve().then(() => archive.read(name)) };
  }
  const folder = dirname(found.path);
  const listing = await readdir(folder, { withFileTypes: true });
  const names = new Set(listing.filter((it) => it.isFile()).map((it) => it.name));
  return {
    has: (name) => names.has(name),
    read: async (name) =>
      names.has(name) && (await lstat(join(folder, name))).isFile() ? await readFile(join(folder, name)) : undefined,
  };
}

/** The mappings of a folder of WireMock, and what they take from `__files`. */
export async function wireMockFolder(
  folder: string,
  path: string,
): Promise<{ mappings: PlacedMapping[]; files: MockFiles }> {
  const mappings: PlacedMapping[] = [];
  const root = join(folder, "mappings");
  for (const file of (await filesIn(root)).filter((name) => /\.json$/i.test(name))) {
    const place = relative(folder, file).replaceAll(sep, "/");
    mappings.push(...mappingsOf(parseDocument(await read(file, path), file), place));
  }
  const files = new Map<string, Uint8Array>();
  const bodies = join(folder, "__files");
  for (const file of await filesIn(bodies)) {
    files.set(relative(bodies, file).replaceAll(sep, "/"), await read(file, path));
  }
  return { mappings, files: (name) => files.get(name.replaceAll("\\", "/").replace(/^\.?\//, "")) };
}

/** All files below a folder, in the order of their names. Links are left alone: they may lead anywhere. */
async function filesIn(folder: string): Promise<string[]> {
  const listing = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of listing.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...await filesIn(path));
    else if (entry.isFile()) files.push(path);
  }
  return files;
}

async function read(file: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(await realpath(file));
  } catch (cause) {
    throw notImported(path, reasonOf(cause), undefined, cause);
  }
}
