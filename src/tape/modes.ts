/**
 * In which mode a tape is used: what the options say, the environment, and whether there is a tape yet.
 *
 * @module
 */
import process from "node:process";
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { CompiledMatcher } from "../flow/matcher/types.ts";
import { didYouMean } from "../flow/suggest.ts";
import { TAPE_MODES, type TapeMode, type TapeOptions } from "./options.ts";

/** The environment variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The variables that decide about modes, as they are now. */
export function readEnv(from: Env = process.env): Env {
  return {
    CI: from.CI,
    FLOWTAPE_MODE: permitted(from, "FLOWTAPE_MODE"),
    FLOWTAPE_USAGE: permitted(from, "FLOWTAPE_USAGE"),
  };
}

/**
 * The variables that decide about a tape, those of `redact.restore` among them, as they are now. To be asked for at once, in the moment
 * in which a proxy is asked for: whoever sets a variable for one proxy alone can take it back before anything waits.
 */
export function envFor(tape: string | TapeOptions | undefined, from: Env = process.env): Env | undefined {
  if (tape === undefined) return undefined;
  const { redact } = typeof tape === "object" && tape !== null ? tape : {};
  const restore = typeof redact === "object" && redact !== null ? redact.restore ?? {} : {};
  const secrets = Object.values(restore).map((name) => [name, permitted(from, name)] as const);
  return { ...Object.fromEntries(secrets), ...readEnv(from) };
}

/** On Deno each variable must be allowed: one that is not is not set. */
function permitted(from: Env, name: string): string | undefined {
  try {
    return from[name];
  } catch {
    return undefined;
  }
}

/** What is done with a flow. */
export type FlowMode = Exclude<TapeMode, "once">;

/** What modes depend on besides the options. */
export interface ModeContext {
  /** Whether there is a tape already. */
  readonly exists: boolean;
  /** Whether it is too old, and is to be recorded anew. */
  readonly expired?: boolean;
  /** The variables of this process by default. */
  readonly env?: Env;
}

/**
 * The mode that is meant. `FLOWTAPE_MODE` goes before the option, and before `CI`; where `CI` is set, `auto` and `once` are `replay`.
 *
 * @throws {OptionsError} `FLOWTAPE_MODE` is no mode
 */
export function resolveMode(mode: TapeMode = "auto", env: Env = readEnv()): TapeMode {
  const ordered = modeOfEnv(env);
  if (ordered !== undefined) return ordered;
  return (mode === "auto" || mode === "once") && isCi(env) ? "replay" : mode;
}

/** Whether this is a CI server: `CI` is set, and not to `0` or `false`. */
function isCi(env: Env): boolean {
  return !["", "0", "false"].includes((env.CI ?? "").trim().toLowerCase());
}

/** The modes of a tape, and of each flow. */
export class Modes {
  /** That of flows for which there is no other. */
  readonly main: FlowMode;
  /** Whether this is a CI server. */
  readonly ci: boolean;
  readonly #special: readonly { readonly matcher: CompiledMatcher; readonly mode: FlowMode }[];

  /** @throws {OptionsError} `FLOWTAPE_MODE` is no mode */
  constructor({ mode, modes = [] }: Pick<TapeOptions, "mode" | "modes">, context: ModeContext) {
    const { exists, expired = false, env = readEnv() } = context;
    this.ci = isCi(env);
    const settle = (given: TapeMode | undefined): FlowMode => {
      const resolved = resolveMode(given, env);
      if (expired && (resolved === "auto" || resolved === "once")) return "record";
      return resolved === "once" ? (exists ? "replay" : "record") : resolved;
    };
    this.main = settle(mode);
    this.#special = modes.map(([matcher, given], i) => ({
      matcher: compile(matcher, `tape.modes[${i}][0]`),
      // These two say that such traffic is never to be recorded, whatever all else is run in.
      mode: given === "replay" || given === "passthrough" ? given : settle(given),
    }));
  }

  /** Whether any flow may be in one of these modes. */
  some(...modes: readonly FlowMode[]): boolean {
    return modes.includes(this.main) || this.#special.some(({ mode }) => modes.includes(mode));
  }

  /** Whether every flow is in one of these modes. */
  all(...modes: readonly FlowMode[]): boolean {
    return modes.includes(this.main) && this.#special.every(({ mode }) => modes.includes(mode));
  }

  /**
   * The mode of a flow.
   *
   * @throws {BodyIncompleteError} a matcher must see a body that has not arrived
   */
  of(flow: Flow): FlowMode {
    return this.#special[this.placeOf(flow)]?.mode ?? this.main;
  }

  /**
   * The place of the matcher that a flow has its mode from; -1 when that is the mode of the tape.
   *
   * @throws {BodyIncompleteError} a matcher must see a body that has not arrived
   */
  placeOf(flow: Flow): number {
    return this.#special.findIndex(({ matcher }) => matcher.matches(flow));
  }

  /** Whether there are modes for some flows. */
  get mixed(): boolean {
    return this.#special.length > 0;
  }
}

function modeOfEnv(env: Env): TapeMode | undefined {
  const given = (env.FLOWTAPE_MODE ?? "").trim();
  if (given === "") return undefined;
  const mode = TAPE_MODES.find((one) => one === given.toLowerCase());
  if (mode !== undefined) return mode;
  throw new OptionsError(
    `the environment variable FLOWTAPE_MODE is ${JSON.stringify(given)}: ${TAPE_MODES.join(", ")} are accepted` +
      didYouMean(given.toLowerCase(), TAPE_MODES),
  );
}
