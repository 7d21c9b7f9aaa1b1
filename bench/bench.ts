/** What the scenarios share: the origin, the load generator, contenders on demand, and how long to measure. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "./certificates.ts";
import type { ContenderName, Job, Surroundings } from "./contenders/contender.ts";
import type { ContenderMethods } from "./contenders/contender_process.ts";
import type { LoadMethods } from "./load/load_process.ts";
import type { Endpoint } from "./load/connect.ts";
import type { OriginMethods } from "./origin/origin_process.ts";
import { type Child, type Remote, spawn } from "./rpc.ts";

export interface Pace {
  readonly rounds: number;
  /** How long one contender is measured in one round. */
  readonly sliceMs: number;
  /** How long it is driven beforehand, for the compiler and the caches; the first time ten times as long. */
  readonly warmMs: number;
}

export interface BenchOptions {
  readonly pace: Pace;
  readonly quick: boolean;
  readonly surroundings: Pick<Surroundings, "flowtape">;
  /** A folder that gets a processor profile of each flowtape process. */
  readonly profile?: string;
}

export interface RunningContender {
  readonly name: ContenderName;
  readonly call: Remote<ContenderMethods>;
  start(job: Job): Promise<Endpoint>;
  end(): Promise<void>;
}

export class Bench implements AsyncDisposable {
  readonly pace: Pace;
  readonly quick: boolean;
  readonly folder: string;
  readonly load: Remote<LoadMethods>;
  readonly origin: { readonly http: number; readonly https: number; readonly http2: number };
  readonly surroundings: Surroundings;
  readonly #profile: string | undefined;
  readonly #children: { end(): Promise<void> }[];

  private constructor(
    parts: Pick<Bench, "folder" | "load" | "origin" | "surroundings"> & {
      children: Child<never>[];
    },
    options: BenchOptions,
  ) {
    this.pace = options.pace;
    this.quick = options.quick;
    this.#profile = options.profile;
    this.folder = parts.folder;
    this.load = parts.load;
    this.origin = parts.origin;
    this.surroundings = parts.surroundings;
    this.#children = parts.children;
  }

  static async open(options: BenchOptions): Promise<Bench> {
    const authority = new Authority("bench authority");
    const certificate = authority.leaf("localhost", "bench.test");
    const [load, origin, folder] = await Promise.all([
      spawn<LoadMethods>(new URL("./load/load_process.ts", import.meta.url)),
      spawn<OriginMethods>(new URL("./origin/origin_process.ts", import.meta.url)),
      mkdtemp(join(tmpdir(), "flowtape-bench-")),
    ]);
    const ports = await origin.call.start(certificate);
    const surroundings: Surroundings = {
      ...options.surroundings,
      originCa: authority.cert,
      prepared: { ...certificate, ca: authority.cert },
    };
    const children = [load, origin] as unknown as Child<never>[];
    return new Bench({
      folder,
      load: load.call,
      origin: ports,
      surroundings,
      children,
    }, options);
  }

  /** Starts a process for a contender; a fresh one meets nothing that an earlier scenario left behind. */
  async contender(name: ContenderName, options: { nodeOptions?: string[] } = {}): Promise<RunningContender> {
    const nodeOptions = [...options.nodeOptions ?? []];
    // It adds a listener to a kept connection for each request: its own business, and not what is measured.
    if (name === "mockttp") {
      nodeOptions.push("--disable-warning=MaxListenersExceededWarning");
    }
    if (this.#profile && name === "flowtape") {
      nodeOptions.push("--cpu-prof", `--cpu-prof-dir=${this.#profile}`);
    }
    const child = await spawn<ContenderMethods>(
      new URL("./contenders/contender_process.ts", import.meta.url),
      {
        args: [name],
        nodeOptions,
      },
    );
    this.#children.push(child);
    return {
      name,
      call: child.call,
      start: (job) => child.call.start({ job, surroundings: this.surroundings }),
      end: () => child.end(),
    };
  }

  /** Runs something with contenders that are ended afterwards, whatever happens. */
  async with<const Names extends readonly ContenderName[], Value>(
    names: Names,
    use: (contenders: { [K in keyof Names]: RunningContender }) => Promise<Value>,
    options: { nodeOptions?: string[] } = {},
  ): Promise<Value> {
    const contenders: RunningContender[] = [];
    try {
      for (const name of names) {
        contenders.push(await this.contender(name, options));
      }
      return await use(contenders as { [K in keyof Names]: RunningContender });
    } finally {
      await this.load.close().catch(() => {});
      await Promise.all(contenders.map((contender) => contender.end()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.end()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
