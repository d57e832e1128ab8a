/** The DMA controllers of a PC as a part: 8237As at 0x00 and 0xc0, page registers at 0x80. */
import { definePart, type Part, type RegisterFile } from '@vmexit/core'
import { DmaPair, type DmaPairState } from './pair.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** The DMA controllers: ISA devices take a channel when they are built. */
    dma: DmaPair
  }
}

/** How the controllers are attached. */
export interface DmaOptions {
  /**
   * Whether channel 4 is open for channels 0–3 from the start. Firmware opens it, so this is for machines without
   * firmware; false unless stated.
   */
  readonly configured?: boolean
  /**
   * Whether ports 0x80 and 0x84 are latches of this part too, as they are in chipsets; false unless stated: they are left
   * to `postPort()`, whose ports read back what was written just as these do.
   */
  readonly diagnosticPorts?: boolean
}

/** What `machine.of(dma)` is. */
export interface DmaApi {
  readonly dma: DmaPair
  reset(): void
  save(): DmaPairState
  restore(state: DmaPairState): void
}

/** ISA DMA is no PCI function: it has the last requester ID but one. */
const requesterId = 0xfffe

/** The two DMA controllers and their page registers. */
export function dma({ configured, diagnosticPorts = false }: DmaOptions = {}): Part<{
  name: 'dma'
  needs: 'ports' | 'busMasters'
  gives: 'dma'
  api: DmaApi
}> {
  return definePart({
    name: 'dma',
    needs: ['ports', 'busMasters'],
    gives: ['dma'],
    build({ ports, busMasters }, _, { name }): DmaApi {
      const pair = new DmaPair({ memory: busMasters.create(requesterId, name), configured })
      ports.claim(name, 0x00, pair.low.regions.registers)
      ports.claim(name, 0xc0, pair.high.regions.registers)
      for (const [first, size] of diagnosticPorts
        ? [[0, 16]]
        : [
            [1, 3],
            [5, 11],
          ]) {
        ports.claim(name, 0x80 + first!, section(pair.pages, first!, size!))
      }
      return {
        dma: pair,
        reset: () => pair.reset(),
        save: () => pair.save(),
        restore: (state) => pair.restore(state),
      }
    },
  })
}

/** Some of a file's registers. */
function section(registers: RegisterFile, first: number, size: number): RegisterFile {
  return {
    ...registers,
    size,
    read: (offset, width) => registers.read(first + offset, width),
    write: (offset, width, value) => registers.write(first + offset, width, value),
  }
}
