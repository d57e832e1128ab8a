/** The descriptor table that kernels begin with: flat code and data of ring 0 (SDM vol. 3A, 3.4.5). */

/** Selectors that the Linux boot protocol prescribes; Multiboot leaves them open. */
export const CODE_SELECTOR = 0x10
export const DATA_SELECTOR = 0x18

const DESCRIPTORS = [0n, 0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]

/** Bytes of the table. */
export const GDT_BYTES: number = DESCRIPTORS.length * 8

/** The table itself. */
export function flatGdt(): Uint8Array {
  const view = new DataView(new ArrayBuffer(GDT_BYTES))
  for (const [i, descriptor] of DESCRIPTORS.entries()) view.setBigUint64(i * 8, descriptor, true)
  return new Uint8Array(view.buffer)
}
