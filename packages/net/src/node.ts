/// <reference types="node" />
/**
 * `@vmexit/net/node`: a gateway to the host's sockets. Nothing of it runs unless it is opened, and nothing is reached
 * that no rule allows.
 *
 * @packageDocumentation
 */
export type { AllowRule } from './gateway/allow-list.ts'
export { type Denial, Gateway, type GatewayOptions, openGateway, type Publication } from './node/gateway.ts'
