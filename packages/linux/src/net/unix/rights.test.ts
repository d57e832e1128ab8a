/** Descriptors on their way: what nobody can reach any more is let go, and nothing else. */
import { describe, expect, it } from 'vitest'
import { OpenFile } from '../../files/open-file.ts'
import { type Carrier, Rights } from './rights.ts'

/** A file that tells when it has one reference less, and when it has none. */
class FakeFile extends OpenFile {
  flags = 2
  readonly queue = undefined
  isGone = false
  onClose: (() => void) | undefined = undefined

  describe(): string {
    return 'fake'
  }
  read(): number {
    return 0
  }
  write(): number {
    return 0
  }
  stat(): number {
    return 0
  }
  protected release(): void {
    this.isGone = true
  }
  override close(owner: object | undefined): void {
    super.close(owner)
    this.onClose?.()
  }
}

/** A socket whose queue is a list. */
class Fake implements Carrier {
  readonly file: FakeFile = new FakeFile()
  readonly queue: Fake[] = []
  listener: Fake | undefined = undefined
  readonly #rights: Rights

  constructor(rights: Rights) {
    this.#rights = rights
    this.file.onClose = () => {
      if (this.isGone) this.discard()
      else rights.suspect(this.file)
    }
  }
  get isGone(): boolean {
    return this.file.isGone
  }
  get holder(): OpenFile | undefined {
    return this.listener === undefined ? this.file : undefined
  }
  carried(): Iterable<OpenFile> {
    return this.queue.map(({ file }) => file)
  }
  send(other: Fake): void {
    this.#rights.add(this, 0, [other.file])
    this.queue.push(other)
  }
  discard(): void {
    for (const { file } of this.queue.splice(0)) {
      this.#rights.remove(this, 0, [file])
      file.close(undefined)
    }
  }
  close(): void {
    this.file.close(undefined)
  }
}

const sockets = (count: number): [Rights, ...Fake[]] => {
  const rights = new Rights()
  return [rights, ...Array.from({ length: count }, () => new Fake(rights))]
}

describe('sockets in queues of sockets', () => {
  it('are gone when a socket that carries itself is closed', () => {
    const [rights, one] = sockets(1)
    one!.send(one!)
    expect(one!.isGone).toBe(false)
    one!.close()
    expect(one!.isGone).toBe(true)
    expect(rights.total).toBe(0)
  })

  it('are gone with the last way to a ring of them, not before', () => {
    const [rights, one, other, third] = sockets(3)
    one!.send(other!)
    other!.send(third!)
    third!.send(one!)
    other!.close()
    third!.close()
    expect(rights.total).toBe(3)
    expect([one!, other!, third!].map(({ isGone }) => isGone)).toEqual([false, false, false])
    one!.close()
    expect([one!, other!, third!].map(({ isGone }) => isGone)).toEqual([true, true, true])
    expect(rights.total).toBe(0)
  })

  it('stay as long as a queue that somebody reads leads to them', () => {
    const [rights, reader, one, other] = sockets(3)
    one!.send(other!)
    other!.send(one!)
    reader!.send(one!)
    one!.close()
    other!.close()
    expect([one!.isGone, other!.isGone]).toEqual([false, false])
    reader!.close()
    expect([one!.isGone, other!.isGone]).toEqual([true, true])
    expect(rights.total).toBe(0)
  })

  it('that nobody has accepted yet live with who listens', () => {
    const [rights, listening, waiting] = sockets(2)
    waiting!.listener = listening
    waiting!.send(listening!)
    listening!.close()
    rights.collect()
    expect(waiting!.queue).toEqual([])
    expect(listening!.isGone).toBe(true)
  })

  it('are counted for users, whom they are limited', () => {
    const [rights, one, other] = sockets(2)
    one!.send(other!)
    expect(rights.mayCarry(0, 1, 1)).toBe(false)
    expect(rights.mayCarry(0, 1, 2)).toBe(true)
    expect(rights.mayCarry(7, 1, 1)).toBe(true)
    one!.discard()
    expect(rights.mayCarry(0, 1, 1)).toBe(true)
  })
})
