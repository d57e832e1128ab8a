/** Guests of a few bytes, and a device that is not the same under every engine: for tests. */
import { definePart, need, type Part } from '@vmexit/core'
import '@vmexit/x86'
import type { Guest } from './guest.ts'

/** A ROM of 64 KiB with code at its beginning, given in hexadecimal, and where further code begins. */
function rom(code: Readonly<Record<number, string>>): Uint8Array {
  const image = new Uint8Array(0x1_0000)
  for (const [at, text] of Object.entries(code)) image.set(Buffer.from(text.replace(/\s|;.*/g, ''), 'hex'), Number(at))
  // The reset vector: jmp f000:0000
  image.set([0xea, 0x00, 0x00, 0x00, 0xf0], 0xfff0)
  return image
}

/** Counts, and reads port 0x500 each time it has counted to 0x1000. */
export const countingGuest: Guest = {
  identity: 'counting',
  options: {
    memory: '1 MiB',
    display: 'none',
    rom: rom({
      0: [
        'b9 00 10', // mov cx, 0x1000
        'ba 00 05', // mov dx, 0x500
        '40', //       again: inc ax
        '01 c3', //    add bx, ax
        '89 1e 00 20', // mov [0x2000], bx
        'e2 f7', //    loop again
        'ec', //       in al, dx
        'a2 10 20', // mov [0x2010], al
        'eb eb', //    jmp 0
      ].join(''),
    }),
  },
}

/** Instructions that {@link countingGuest} has executed once it has read the port for the first time. */
export const firstRead: number = 1 + 2 + 4 * 0x1000 + 1

/** Writes code before it calls it, each time another, with a timer's interrupts in between, for which it halts at times. */
export const restlessGuest: Guest = {
  identity: 'restless',
  options: {
    memory: '1 MiB',
    display: 'none',
    interruptController: 'pic',
    rom: rom({
      0: [
        'fa 31 c0 8e d8 8e d0 bc 00 70', // cli; ds and ss 0; sp 0x7000
        'c7 06 20 00 00 01 c7 06 22 00 00 f0', // vector 8: f000:0100
        'b0 11 e6 20 b0 08 e6 21 b0 04 e6 21 b0 01 e6 21 b0 fe e6 21', // 8259
        'b0 34 e6 43 b0 40 e6 40 b0 00 e6 40', // 8254: every 64 of its cycles
        'b3 40 c6 06 01 30 cb be 32 00 fb', // bl: inc ax; [0x3001]: retf; si 50; sti
        '80 f3 01', // again: bl: inc ax or inc cx
        '88 1e 00 30', // mov [0x3000], bl
        '9a 00 30 00 00', // call 0:0x3000
        '4e 75 f1', // dec si; jnz again
        'be 32 00 f4 eb eb', // si 50; hlt; jmp again
      ].join(''),
      256: '50 ff 06 20 20 b0 20 e6 20 58 cf', // push ax; inc word [0x2020]; end of interrupt; pop ax; iret
    }),
  },
}

/** Answers at port 0x500 with another number under each engine: what lockstep is to find. */
export function tellTale(): Part {
  return definePart({
    name: 'tell-tale',
    needs: ['ports', need('x86', 'use cpu: x86()')],
    build({ ports, x86 }, _, { name }) {
      ports.claim(name, 0x500, { size: 1, read: () => (x86.engine === 'reference' ? 1 : 2), write() {} })
      return {}
    },
  })
}
