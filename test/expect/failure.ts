/** The failures of assertions, as tests look at them. */
import { AssertionError } from "node:assert";
import { stripVTControlCharacters } from "node:util";

/** The error of an assertion that must fail, without colours: those depend on where the tests run. */
export function failure(assertion: () => void): AssertionError {
  try {
    assertion();
  } catch (error) {
    return plain(error);
  }
  throw new Error("the assertion holds");
}

/** The same for one that waits. */
export async function lateFailure(assertion: () => Promise<void>): Promise<AssertionError> {
  try {
    await assertion();
  } catch (error) {
    return plain(error);
  }
  throw new Error("the assertion holds");
}

function plain(error: unknown): AssertionError {
  if (!(error instanceof AssertionError)) throw error;
  error.message = stripVTControlCharacters(error.message);
  return error;
}

/** The message of a failure, with an empty line before and behind: so that it can be written as it looks. */
export function message(assertion: () => void): string {
  return `\n${failure(assertion).message}\n`;
}
