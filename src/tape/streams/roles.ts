/**
 * Which client plays which recorded conversation. Conversations with one place are handed out in order; a client that turns out to say
 * what was said in another one changes over, as far as nothing has been said yet that was different there.
 *
 * @module
 */
import type { TapeEntry } from "../entry.ts";
import type { TapeOptions } from "../options.ts";
import { beginsLike, type Cursor, type Script } from "./script.ts";

/** How many conversations are looked at for one. */
const MAX_CANDIDATES = 200;

/** All recorded conversations with one place. */
export class Roles<Heard> {
  readonly #scripts: readonly Script<Heard>[];
  readonly #afterLast: NonNullable<TapeOptions["afterLast"]>;
  /** Played in a round before this one (`afterLast: "loop"`). */
  readonly #before = new Set<Script<Heard>>();
  readonly #taken = new Set<Script<Heard>>();
  readonly #players = new Map<Script<Heard>, Role<Heard>>();

  /** @param scripts in the order of the recording; at least one */
  constructor(scripts: readonly Script<Heard>[], afterLast: TapeOptions["afterLast"]) {
    this.#scripts = scripts;
    this.#afterLast = afterLast ?? "repeat";
  }

  /** The entries that nobody has played. */
  get unused(): TapeEntry[] {
    return this.#scripts.filter((it) => !this.#taken.has(it) && !this.#before.has(it)).map(({ entry }) => entry);
  }

  /** How many there are. */
  get size(): number {
    return this.#scripts.length;
  }

  /** The next conversation; `undefined`: all have been played. */
  take(): Role<Heard> | undefined {
    let script = this.#scripts.find((it) => !this.#taken.has(it));
    if (script === undefined) {
      if (this.#afterLast === "error") return undefined;
      if (this.#afterLast === "loop") {
        for (const it of this.#taken) this.#before.add(it);
        this.#taken.clear();
      }
      script = this.#afterLast === "loop" ? this.#scripts[0]! : this.#scripts.at(-1)!;
    }
    const role = new Role(this, script);
    this.#cast(script, role);
    return role;
  }

  /** Another conversation that fits what a client has said, the last word included; `undefined`: none does. */
  another(role: Role<Heard>, heard: readonly Heard[]): Script<Heard> | undefined {
    for (const script of this.#scripts.slice(0, MAX_CANDIDATES)) {
      if (script === role.script || !beginsLike(role.script.lines, script.lines, role.said)) continue;
      if (!follows(script, heard)) continue;
      if (!this.#taken.has(script)) {
        this.#taken.delete(role.script);
        this.#players.delete(role.script);
        this.#cast(script, role);
        return script;
      }
      // Somebody else has it, and may be as well served with this one.
      const other = this.#players.get(script);
      if (other !== undefined && other.swapsTo(role.script)) {
        this.#players.set(role.script, other);
        this.#players.set(script, role);
        return script;
      }
    }
    // All have been played: the last one again, and so may be any before it.
    if (this.#taken.size < this.#scripts.length || this.#afterLast === "error") return undefined;
    return this.#scripts.findLast((script) =>
      script !== role.script && beginsLike(role.script.lines, script.lines, role.said) && follows(script, heard)
    );
  }

  /** What could come next: in the conversation that is played, then in others that fit what the client has said so far. */
  *expected(role: Role<Heard>, heard: readonly Heard[]): Generator<Expected<Heard>> {
    yield { entry: role.script.entry, cursor: role.cursor };
    for (const script of this.#scripts.slice(0, MAX_CANDIDATES)) {
      if (script === role.script || !beginsLike(role.script.lines, script.lines, role.said)) continue;
      const cursor = script.cursor();
      if (heard.every((it) => cursor.hear(it))) yield { entry: script.entry, cursor };
    }
  }

  /** A conversation is over: nobody swaps with it any more. */
  leave(role: Role<Heard>): void {
    if (this.#players.get(role.script) === role) this.#players.delete(role.script);
  }

  #cast(script: Script<Heard>, role: Role<Heard>): void {
    this.#taken.add(script);
    this.#players.set(script, role);
  }
}

function follows<Heard>(script: Script<Heard>, heard: readonly Heard[]): boolean {
  const cursor = script.cursor();
  return heard.every((it) => cursor.hear(it));
}

/** Where a client may be in a recorded conversation. */
export interface Expected<Heard> {
  readonly entry: TapeEntry;
  readonly cursor: Cursor<Heard>;
}

/** A client's part in one recorded conversation. */
export class Role<Heard> {
  /** How many lines of the server it has got. */
  said = 0;
  /** Called when another conversation is played because somebody else needs this one. */
  onSwap: (() => void) | undefined;

  readonly #roles: Roles<Heard>;
  readonly #heard: Heard[] = [];
  #script: Script<Heard>;
  #cursor: Cursor<Heard>;

  /** For {@linkcode Roles}. */
  constructor(roles: Roles<Heard>, script: Script<Heard>) {
    this.#roles = roles;
    this.#script = script;
    this.#cursor = script.cursor();
  }

  /** What is played. */
  get script(): Script<Heard> {
    return this.#script;
  }

  /** How far the client has come in it. */
  get cursor(): Cursor<Heard> {
    return this.#cursor;
  }

  /** How often the client has said what is recorded. */
  get count(): number {
    return this.#heard.length;
  }

  /** The client says something. `false`: no recorded conversation goes on like this. */
  hear(heard: Heard): boolean {
    const before = this.#cursor.fork();
    this.#heard.push(heard);
    if (this.#cursor.hear(heard)) return true;
    const other = this.#roles.another(this, this.#heard);
    if (other === undefined) {
      this.#heard.pop();
      this.#cursor = before;
      return false;
    }
    this.#turnTo(other);
    return true;
  }

  /** What the client could say next, in recorded words. */
  get expected(): Iterable<Expected<Heard>> {
    return this.#roles.expected(this, this.#heard);
  }

  /** For {@linkcode Roles}: plays another conversation from now on, if what was said so far was said there too. */
  swapsTo(script: Script<Heard>): boolean {
    if (!beginsLike(this.#script.lines, script.lines, this.said) || !follows(script, this.#heard)) return false;
    this.#turnTo(script);
    this.onSwap?.();
    return true;
  }

  /** It is over. */
  leave(): void {
    this.#roles.leave(this);
  }

  #turnTo(script: Script<Heard>): void {
    this.#script = script;
    this.#cursor = script.cursor();
    for (const it of this.#heard) this.#cursor.hear(it);
  }
}
