import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, put } from '../../test/guests.ts'
import { buildDisk, masterBootRecord } from './disk-image.ts'

test("the boot record keeps GRUB's code around a table with one active partition inside the disk", () => {
  const record = masterBootRecord(new Uint8Array(512).fill(0xee), 65_536)
  const view = new DataView(record.buffer)
  expect(record.subarray(0, 440).every((byte) => byte === 0xee)).toBe(true)
  expect([record[446], record[450]]).toEqual([0x80, 0x0e])
  expect(view.getUint32(454, true) + view.getUint32(458, true)).toBe(65_536)
  expect(record.subarray(462, 510).every((byte) => byte === 0)).toBe(true)
  expect(view.getUint16(510, true)).toBe(0xaa55)
  expect(() => masterBootRecord(new Uint8Array(511))).toThrow("GRUB's boot.img has 511 bytes")
})

test('the core image lies behind the boot record, and one that reaches the partition is refused', async () => {
  const site = folder()
  put(join(site, 'grub/boot.img'), new Uint8Array(512).fill(1))
  const build = (core: number) =>
    buildDisk(
      join(site, 'disk.img'),
      { kernel: 'k', initramfs: 'i', memtest: 'm' },
      {
        grub: join(site, 'grub'),
        scratch: site,
        async tool(name, args) {
          if (name === 'grub-mkimage') writeFileSync(args[args.indexOf('-o') + 1] ?? '', new Uint8Array(core).fill(2))
          return ''
        },
      },
    )
  await build(1000)
  const image = readFileSync(join(site, 'disk.img'))
  expect([image[0], image[512], image[1511], image[1512]]).toEqual([1, 2, 2, 0])
  expect(statSync(join(site, 'disk.img')).size).toBe(32 << 20)
  await expect(build(1 << 20)).rejects.toMatchObject({ code: 'guests-boot-sector' })
})
