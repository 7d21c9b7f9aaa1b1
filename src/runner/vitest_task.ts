/**
 * What vitest says of a test.
 *
 * @module
 */
import { slugsOf } from "./tape_name.ts";
import type { TestInfo } from "./test_proxy.ts";

/** A test or describe block, as far as its name is concerned. */
interface Task {
  readonly name: string;
  readonly suite?: Task | undefined;
  readonly tasks?: readonly Task[];
}

/** A test of vitest's, as far as it concerns its proxy. */
export interface Test extends Task {
  /** The test file. */
  readonly file: Task & { readonly filepath: string };
  /** Whether it is expected to fail. */
  readonly fails?: boolean | undefined;
  /** What has become of it so far. */
  readonly result?: { readonly state: string; readonly errors?: readonly unknown[] | undefined } | undefined;
}

/** Where the files of a test are. */
export function infoOf(test: Test): TestInfo {
  const { file } = test;
  const names = namesOf(test);
  return { file: file.filepath, slug: slugsIn(file).get(test) ?? slugsOf([names])[0]!, title: names.join(" > ") };
}

/** Of all tests in the order in which they stand, also of those that are left out of this run: names must not depend on it. */
function slugsIn(file: Task): ReadonlyMap<Task, string> {
  const known = slugs.get(file);
  if (known !== undefined) return known;
  const tests = testsIn(file);
  const names = slugsOf(tests.map(namesOf));
  const found = new Map(tests.map((test, i) => [test, names[i]!]));
  slugs.set(file, found);
  return found;
}

const slugs = new WeakMap<Task, ReadonlyMap<Task, string>>();

function testsIn(parent: Task): Task[] {
  return (parent.tasks ?? []).flatMap((task) => task.tasks === undefined ? [task] : testsIn(task));
}

/** The describe blocks around a test, and its own name. */
function namesOf(task: Task): string[] {
  return [...(task.suite === undefined ? [] : namesOf(task.suite)), task.name];
}
