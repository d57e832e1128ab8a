/** Somebody's own PCI card for vmexit, in a package of its own. */
export { Metronome, type MetronomeOptions, type MetronomeState } from './metronome.ts'
export { type MetronomeApi, type MetronomeCardState, metronome } from './part.ts'
