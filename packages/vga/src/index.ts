/**
 * `@vmexit/vga`: a VGA adapter with the VBE display interface, and what a display at it shows, as pixels and as text.
 *
 * @packageDocumentation
 */
export { font8x16 } from './font/font.ts'
export { DisplayWindow, type DisplayWindowOptions } from './memory/display-window.ts'
export { createVideoMemory, type MemoryWatch, type VideoMemory } from './memory/video-memory.ts'
export { type VgaApi, type VgaPartOptions, type VgaPartState, vga } from './part.ts'
export { codePage437 } from './picture/code-page-437.ts'
export type { Image } from './picture/image.ts'
export { Screen, type ScreenWatch } from './picture/screen.ts'
export { type PowerOnMode, setLinearMode, setTextMode } from './power-on.ts'
export { AttributeController, type AttributeState } from './registers/attribute.ts'
export { Crtc } from './registers/crtc.ts'
export { Dac, type DacState } from './registers/dac.ts'
export { type Depth, Dispi, DispiEnable, DispiIndex, type DispiState } from './registers/dispi.ts'
export { GraphicsController } from './registers/graphics.ts'
export { IndexedRegisters, type IndexedState } from './registers/indexed.ts'
export type { Beam } from './registers/raster.ts'
export { Sequencer } from './registers/sequencer.ts'
export {
  describeScreen,
  type FramebufferDescription,
  type ScreenDescription,
  type TextScreenDescription,
} from './screen-description.ts'
export { Vga, type VgaOptions, type VgaState } from './vga.ts'
