/// <reference types="node" />
/**
 * `@vmexit/container/node`: what networks of containers have of the machine that they are on: its sockets, and its time.
 *
 * @packageDocumentation
 */
export { type HostOutsideOptions, hostOutside } from './node/host-outside.ts'
export { hostTime } from './node/host-time.ts'
