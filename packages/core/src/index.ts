/**
 * `@vmexit/core`: typed parts and their composition, buses, interrupt lines, bus masters, virtual time, the input gate,
 * event counters and cost profiles. It knows no instruction set.
 *
 * @packageDocumentation
 */
export * from './bus.ts'
export * from './bus-masters.ts'
export { Claim } from './claim.ts'
export * from './clock.ts'
export type * from './cost/price.ts'
export { price, priceOf } from './cost/price.ts'
export * from './cost/profile.ts'
export * from './cost/published.ts'
export * from './counters.ts'
export * from './cpu.ts'
export * from './device.ts'
export * from './errors.ts'
export * from './input-gate.ts'
export * from './interrupts.ts'
export * from './oscillator.ts'
export * from './parts/capabilities.ts'
export type * from './parts/check.ts'
export * from './parts/compose.ts'
export * from './parts/frame.ts'
export * from './parts/machine.ts'
export * from './parts/part.ts'
export * from './parts/problems.ts'
export * from './parts/system.ts'
export * from './parts/vm.ts'
export * from './power.ts'
export * from './run.ts'
export * from './run-loop.ts'
export * from './state.ts'
