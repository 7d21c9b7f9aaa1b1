/**
 * The way to the servers, where an application may be in their place.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { UpstreamStream } from "../exchange/upstream_stream.ts";
import type { Servers } from "../wire_context.ts";
import { AppStream, type AppStreamOptions } from "./app_stream.ts";
import type { Application } from "./application.ts";

/** Gives flows to an application, and those that it does not take to their servers. */
export class AppServers implements Servers {
  readonly #app: Application;
  readonly #servers: Servers;
  readonly #options: AppStreamOptions;

  /** @param servers for flows that the application does not take, and for raw conversations */
  constructor(app: Application, servers: Servers, options: AppStreamOptions) {
    this.#app = app;
    this.#servers = servers;
    this.#options = options;
  }

  /** @inheritdoc */
  idle(flow: HttpFlow): UpstreamStream | undefined {
    return this.#takes(flow) ? this.#stream() : this.#servers.idle(flow);
  }

  /** @inheritdoc */
  async connect(flow: HttpFlow): Promise<UpstreamStream> {
    return this.#takes(flow) ? this.#stream() : await this.#servers.connect(flow);
  }

  /** @inheritdoc */
  get tcp(): Servers["tcp"] {
    return (flow, secure) => this.#servers.tcp(flow, secure);
  }

  #takes(flow: HttpFlow): boolean {
    const takes = this.#app.takes(flow);
    flow.source = takes ? "app" : "upstream";
    return takes;
  }

  #stream(): UpstreamStream {
    return new AppStream(this.#app, this.#options);
  }
}
