/// <reference types="node" />
/**
 * `@vmexit/container/node`: what networks of containers have of the machine that they are on: its sockets, and its time.
 *
 * @packageDocumentation
 */
export { type HostOutsideOptions, hostOutside } from './node/host-outside.ts'
export { hostTime } from './node/host-time.ts'
export { openSwitch, Switch, type SwitchCounts, type SwitchOptions } from './node/switch.ts'
export type { SwitchMember } from './node/switch-protocol.ts'
export { inspectSwitch, joinSwitch, type SwitchJoin, SwitchUplink } from './node/switch-uplink.ts'
