/**
 * A server process that is there while it is needed.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import { freePort, listens } from "../../wire/once/ports.ts";
import { Child } from "./child.ts";
import type { SpawnSettings } from "./options.ts";
import { HOST } from "./ready.ts";

/** So long a port of this machine may take to accept a connection. */
const LISTENS_MS = 2000;

/** Starts a process when somebody needs it, again when it has died, and stops it when nobody does. */
export class Server {
  readonly #settings: SpawnSettings;
  #starting: Promise<Child> | undefined;
  #child: Child | undefined;
  #stopping: Promise<void> | undefined;
  #users = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | undefined;

  /** Nothing is started yet. */
  constructor(settings: SpawnSettings) {
    this.#settings = settings;
  }

  /**
   * Uses the process; it is not stopped before the use has ended.
   *
   * @param log gets the lines of a process that is started for this use, where the options say nobody else
   * @throws {FlowtapeError} `SPAWN_FAILED`, `SPAWN_NOT_READY`, `SPAWN_CLOSED`
   */
  async use(log: (line: string) => void): Promise<Use> {
    clearTimeout(this.#idle);
    this.#users++;
    try {
      return new Use(await this.#running(this.#settings.log ?? log), () => this.#unused());
    } catch (error) {
      this.#unused();
      throw error;
    }
  }

  /** Stops the process for good. */
  close(): Promise<void> {
    return this.#closed ??= Promise.all([this.#stop(), this.#stopping]).then(() => {});
  }

  async #running(log: (line: string) => void): Promise<Child> {
    for (;;) {
      await this.#stopping;
      if (this.#closed !== undefined) throw new FlowtapeError("SPAWN_CLOSED", "the gateway of spawn() was closed");
      const child = await (this.#starting ??= this.#start(log));
      await child.ready;
      if (!child.over) return child;
      // It has died since: another one takes its place.
      if (this.#child === child) this.#starting = this.#child = undefined;
    }
  }

  async #start(log: (line: string) => void): Promise<Child> {
    try {
      const child = new Child(this.#settings, await this.#port(), log);
      this.#child = child;
      const forget = () => {
        if (this.#child === child) this.#starting = this.#child = undefined;
      };
      child.ended.then(forget);
      return child;
    } catch (cause) {
      this.#starting = undefined;
      const why = cause instanceof Error ? cause.message : String(cause);
      const command = JSON.stringify(this.#settings.command.join(" "));
      throw new FlowtapeError("SPAWN_FAILED", `the command ${command} of spawn() could not be started: ${why}`, {
        cause,
      });
    }
  }

  /** Somebody else's server on that port would be taken for the one that is started. */
  async #port(): Promise<number> {
    const { port } = this.#settings;
    if (port === undefined) return await freePort(HOST);
    if (await listens(HOST, port, LISTENS_MS)) throw new Error(`somebody else listens on ${HOST}:${port} already`);
    return port;
  }

  #unused(): void {
    this.#users--;
    const { idleTimeout } = this.#settings;
    if (this.#users > 0 || idleTimeout === undefined || this.#closed !== undefined) return;
    this.#idle = setTimeout(() => {
      this.#stopping = this.#stop().then(() => this.#stopping = undefined);
    }, idleTimeout);
    // It does not keep this process alive. Bun and Deno give timers of Node's own kind, too.
    this.#idle.unref?.();
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#idle);
    const starting = this.#starting;
    this.#starting = undefined;
    const child = await starting?.catch(() => undefined);
    await child?.stop();
  }
}

/** One use of a process. */
export class Use {
  /** What is used. */
  readonly child: Child;
  #end: (() => void) | undefined;

  /** @param end is called once */
  constructor(child: Child, end: () => void) {
    this.child = child;
    this.#end = end;
  }

  /** It is over. */
  end(): void {
    this.#end?.();
    this.#end = undefined;
  }
}
