/**
 * Applications behind the proxy.
 *
 * @module
 */
export type { Gateway, Handler, HandlerInfo, RemoteAddress } from "./handler.ts";
export { mount } from "./mount.ts";
export type { HostHandler, MountOptions } from "./mount_options.ts";
export { node } from "./node.ts";
export { fixedPrefix, type Resolver, unprefixed, userPrefix, type UserPrefixOptions } from "./resolvers.ts";
export { GatewaySocket, type SocketClose, type SocketListener, type SocketMessage } from "./socket.ts";
export { type SwitchOptions, upgrade, type UpgradedSocket, type UpgradeOptions } from "./upgrade.ts";
