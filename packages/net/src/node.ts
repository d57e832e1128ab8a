/// <reference types="node" />
/**
 * `@vmexit/net/node`: a gateway to the host's sockets. Nothing of it runs unless it is opened, and nothing is reached
 * that no rule allows.
 *
 * @packageDocumentation
 */
export { AllowList, type AllowRule } from './gateway/allow-list.ts'
export type { GuestNetworkOptions } from './gateway/guest-network.ts'
export { Gateway, type GatewayOptions, openGateway } from './node/gateway.ts'
export { type Denial, HostSockets, type HostSocketsOptions, type Publication } from './node/host-sockets.ts'
export { lookUp } from './node/look-up.ts'
