/** The form: what to boot and on what machine. It is in the page's address too, so that a link brings it back. */
import type { Offer, OfferedFiles, OfferedGuest } from '../offer.ts'
import type { Thread } from './connect.ts'
import { element } from './element.ts'
import { type EngineChoice, engines } from './engines.ts'
import type { FileKind } from './file-kinds.ts'
import { failure } from './problem.ts'
import { download, local, type Source } from './sources.ts'
import { teaching } from './teaching.ts'
import { type Way, ways } from './techniques.ts'

/** What was chosen. */
export interface Choice {
  readonly title: string
  readonly files: OfferedFiles<Source>
  readonly append: string
  readonly engine: EngineChoice
  readonly way: Way
  readonly memory: string
  readonly thread: Thread
}

const memories = ['32 MiB', '64 MiB', '128 MiB', '256 MiB', '512 MiB', '1 GiB']
const defaultMemory = '128 MiB'

/** The name of the choice that is no guest of the server. */
const own = 'files'

/** Command line of a kernel of the user's: its console is the terminal. */
const ownAppend = 'console=ttyS0 cryptomgr.notests'

/** The form on the page. */
export class Settings {
  readonly form: HTMLFormElement = element('settings', HTMLFormElement)
  readonly #guest = this.#field('guest', HTMLSelectElement)
  readonly #append = this.#field('append', HTMLInputElement)
  readonly #engine = this.#field('engine', HTMLSelectElement)
  readonly #way = this.#field('way', HTMLSelectElement)
  readonly #memory = this.#field('memory', HTMLSelectElement)
  readonly #inputs: Readonly<Record<FileKind, HTMLInputElement>> = {
    kernel: this.#field('kernel', HTMLInputElement),
    initrd: this.#field('initrd', HTMLInputElement),
  }
  readonly #files: Partial<Record<FileKind, File>> = {}
  #guests: readonly OfferedGuest[] = []

  /** Fills the form from the address of the page; guests come by {@link offer}. */
  constructor() {
    for (const { name, title } of engines) this.#engine.add(new Option(title, name))
    for (const { name, title } of ways) this.#way.add(new Option(title, name))
    for (const size of memories) this.#memory.add(new Option(size, size, size === defaultMemory))
    this.#memory.value = defaultMemory
    const asked = new URLSearchParams(document.location.search)
    choose(this.#engine, asked.get('engine'))
    choose(this.#way, asked.get('way'))
    choose(this.#memory, asked.get('memory'))
    if (asked.get('thread') === 'page') this.#thread = 'page'
    this.offer({ guests: [], images: [], folder: '', remedy: '' })
    this.#guest.addEventListener('change', () => this.#guestChosen())
    for (const [kind, input] of Object.entries(this.#inputs) as [FileKind, HTMLInputElement][]) {
      input.addEventListener('change', () => this.take({ [kind]: input.files?.[0] }))
    }
  }

  /** Lists the guests of the server, and chooses the one that the address names, or the first. */
  offer({ guests }: Offer): void {
    this.#guests = guests
    const named = guests.map(({ name, title }) => new Option(title, name))
    this.#guest.replaceChildren(
      ...named,
      new Option(teaching.title, teaching.name),
      new Option('Files of your own …', own),
    )
    const asked = new URLSearchParams(document.location.search)
    choose(this.#guest, asked.get('guest'))
    this.#guestChosen()
    const append = asked.get('append')
    if (append !== null) this.#append.value = append
  }

  /** Chooses the teaching kernel, under a technique. */
  chooseTeaching(way: string): void {
    this.#guest.value = teaching.name
    this.#guestChosen()
    choose(this.#way, way)
  }

  /** Takes files of the user's, and chooses them to boot. */
  take(files: Partial<Record<FileKind, File | undefined>>): void {
    for (const [kind, file] of Object.entries(files) as [FileKind, File | undefined][]) {
      if (file === undefined) continue
      this.#files[kind] = file
      element(`${kind}-name`, HTMLSpanElement).textContent = file.name
    }
    if (this.#guest.value === own) return
    this.#guest.value = own
    this.#guestChosen()
  }

  /** A machine runs by what was chosen when it started. */
  set locked(locked: boolean) {
    element('hardware', HTMLFieldSetElement).disabled = locked
  }

  /** What is chosen now, which is then in the page's address. Throws a `VmexitError` where something is missing. */
  get choice(): Choice {
    const guest = this.#guests.find(({ name }) => name === this.#guest.value)
    const isTeaching = this.#guest.value === teaching.name
    const files = isTeaching ? teaching.files() : guest === undefined ? this.#ownFiles : sourcesOf(guest.files)
    const common = { append: this.#append.value.trim(), memory: this.#memory.value, thread: this.#thread }
    const engine = engines.find(({ name }) => name === this.#engine.value) ?? engines[0]!
    const way = ways.find(({ name }) => name === this.#way.value) ?? ways[0]!
    const address = new URLSearchParams({ guest: this.#guest.value, way: way.name, engine: engine.name, ...common })
    if (!('kernel' in files)) address.delete('append')
    history.replaceState(null, '', `?${address}${document.location.hash}`)
    const title = isTeaching ? teaching.title : (guest?.title ?? this.#files.kernel!.name)
    return { title, files, engine, way, ...common }
  }

  get #ownFiles(): { readonly kernel: Source; readonly initrd?: Source } {
    const { kernel, initrd } = this.#files
    if (kernel !== undefined) return { kernel: local(kernel), ...(initrd && { initrd: local(initrd) }) }
    throw failure('there is no kernel to boot', 'choose a vmlinuz, or drop one on this page')
  }

  get #thread(): Thread {
    return new FormData(this.form).get('thread') === 'page' ? 'page' : 'worker'
  }

  set #thread(thread: Thread) {
    const radios = this.form.elements.namedItem('thread') as RadioNodeList
    radios.value = thread
  }

  #guestChosen(): void {
    const guest = this.#guests.find(({ name }) => name === this.#guest.value)
    const isTeaching = this.#guest.value === teaching.name
    element('own-files', HTMLDivElement).hidden = guest !== undefined || isTeaching
    element('append-row', HTMLLabelElement).hidden = guest !== undefined && guest.append === undefined
    this.#append.value = isTeaching ? teaching.append : guest === undefined ? ownAppend : (guest.append ?? '')
  }

  #field<Kind extends Element>(name: string, kind: new () => Kind): Kind {
    const field = this.form.elements.namedItem(name)
    if (field instanceof kind) return field
    throw new Error(`the form has no ${kind.name} '${name}'`)
  }
}

function sourcesOf(files: OfferedGuest['files']): OfferedFiles<Source> {
  const sources = Object.entries(files).map(([role, file]) => [role, download(file)])
  return Object.fromEntries(sources) as unknown as OfferedFiles<Source>
}

/** Chooses what is asked for, if there is such an option. */
function choose(select: HTMLSelectElement, value: string | null): void {
  if ([...select.options].some((option) => option.value === value)) select.value = value!
}
