/**
 * Applications behind the proxy.
 *
 * @module
 */
export type { Listener, ListenerOptions } from "../rules/msw/event.ts";
export {
  type AppAnswer,
  type AppCall,
  type AppConnection,
  AppError,
  type Application,
} from "../wire/app/application.ts";
export type { Gateway, Handler, HandlerInfo, RemoteAddress } from "./handler.ts";
export { exact, type ExactOptions } from "./exact.ts";
export { forwarded } from "./forwarded.ts";
export type { ForwardedOptions } from "./forwarded_options.ts";
export { mount } from "./mount.ts";
export type { HostHandler, MountOptions } from "./mount_options.ts";
export { node } from "./node.ts";
export { fixedPrefix, type Resolver, unprefixed, userPrefix, type UserPrefixOptions } from "./resolvers.ts";
export { reverse, type ReverseOptions } from "./reverse.ts";
export type { SendOptions } from "./send.ts";
export { GatewaySocket, type SocketClose, type SocketListener, type SocketMessage } from "./socket.ts";
export { spawn, type SpawnHandler } from "./spawn.ts";
export type { SpawnOptions } from "./spawn/options.ts";
export { type SwitchOptions, upgrade, type UpgradedSocket, type UpgradeOptions } from "./upgrade.ts";
