/** A device of one's own in a whole PC: a counter on an I/O port that interrupts at each tenth write, and a guest that uses it. */
import { checkState, definePart, type Line } from '@vmexit/core'
import { createPc, raw } from '@vmexit/vmexit'

/** The chip: it knows a line, and neither its port nor its interrupt. */
class TenthBell {
  #count = 0
  readonly #line: Line
  readonly registers = {
    size: 1,
    // Reading acknowledges.
    read: () => {
      this.#line.set(false)
      return this.#count & 0xff
    },
    write: () => this.#line.set(++this.#count % 10 === 0),
  }

  constructor(line: Line) {
    this.#line = line
  }

  reset(): void {
    this.#count = 0
    this.#line.set(false)
  }

  save(): { readonly version: 1; readonly count: number } {
    return { version: 1, count: this.#count }
  }

  restore(state: { readonly version: 1; readonly count: number }): void {
    this.#count = checkState('tenth bell', state, this.save()).count
  }
}

/** The part: it says what the chip needs, and gives it an address and an interrupt. */
const tenthBell = definePart({
  name: 'tenth-bell',
  needs: ['ports', 'interrupts'],
  build({ ports, interrupts }, _, { name }) {
    const bell = new TenthBell(interrupts.line(5))
    ports.claim(name, 0x240, bell.registers)
    return {
      bell,
      reset: () => bell.reset(),
      save: () => bell.save(),
      restore: (state: { readonly version: 1; readonly count: number }) => bell.restore(state),
    }
  },
})

// A boot sector in real mode. The 8259's input 5 is vector 0dh here; what interrupts, rings: it prints an exclamation mark.
const boot = [
  ...[0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c], // cli; xor ax,ax; mov ds,ax; mov ss,ax; mov sp,7c00h
  ...[0xc7, 0x06, 0x34, 0x00, 0x3c, 0x7c, 0x8c, 0x0e, 0x36, 0x00], // mov word [34h],ring; mov [36h],cs
  ...[0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x08, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21], // ICW1 to ICW4
  ...[0xb0, 0xdf, 0xe6, 0x21, 0xfb, 0xb9, 0x23, 0x00], // all but 5 masked; sti; mov cx,35
  ...[0xba, 0x40, 0x02, 0xee, 0xe2, 0xfd], // mov dx,240h; again: out dx,al; loop again
  ...[0xfa, 0xba, 0xf4, 0x00, 0xb0, 0x00, 0xee, 0xf4, 0x90, 0x90], // cli; mov dx,0f4h; mov al,0; out dx,al; hlt; nop; nop
  ...[0x50, 0x52, 0xba, 0xf8, 0x03, 0xb0, 0x21, 0xee], // ring: push ax; push dx; mov dx,3f8h; mov al,'!'; out dx,al
  ...[0xba, 0x40, 0x02, 0xec, 0xb0, 0x20, 0xe6, 0x20, 0x5a, 0x58, 0xcf], // mov dx,240h; in al,dx; EOI; pop dx; pop ax; iret
]
await using pc = await createPc({
  ...{ memory: '2 MiB', display: 'none', interruptController: 'pic', devices: [tenthBell] },
  loader: raw({ image: Uint8Array.from(boot), address: 0x7c00, mode: 'real' }),
})
let printed = ''
pc.console.onOutput((bytes) => {
  printed += new TextDecoder().decode(bytes)
})
const { reason, exitCode, instructions } = await pc.run({ idle: 'skip' })
console.log(`${printed} ${reason} ${exitCode}, ${instructions} instructions, ${pc.counts['interrupts']} interrupts`)
console.log(pc.system.of(tenthBell).save())
