/**
 * `@vmexit/net/web`: a gateway to what a browser has, `fetch` and WebSockets. Nothing of it runs unless it is opened, and nothing is
 * reached that no rule allows.
 *
 * @packageDocumentation
 */
export { AllowList, type AllowRule } from './gateway/allow-list.ts'
export type { GuestNetworkOptions } from './gateway/guest-network.ts'
export { type Destination, Destinations } from './web/destinations.ts'
export { EthernetLink, type EthernetLinkOptions } from './web/ethernet-link.ts'
export type { Fetch } from './web/fetching.ts'
export { openWebGateway, WebGateway, type WebGatewayOptions } from './web/gateway.ts'
export { WebConnections, type WebConnectionsOptions, type WebDenial, type WebOptions } from './web/web-connections.ts'
export type { RelayServer, WebSocketConstructor, WebSocketLike } from './web/web-socket.ts'
