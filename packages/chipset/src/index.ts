/**
 * `@vmexit/chipset`: the chips of a PC, each a part. A chip knows offsets, lines and a clock; its part gives it ports
 * and an interrupt.
 *
 * @packageDocumentation
 */
export { type Acknowledged, I8259, type I8259Options, type I8259State } from './pic/i8259.ts'
export { PicPair, type PicPairState } from './pic/pair.ts'
export { type PicApi, pic } from './pic/part.ts'
