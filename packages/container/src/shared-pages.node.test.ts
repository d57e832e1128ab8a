/** What containers of one image have together: the pages of its programs, and with them what was translated of these. */
import { checkKernel, type LinuxKernel } from '@vmexit/linux'
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { finish, said } from '../test/run.ts'
import { type Container, ContainerHost, createContainer } from './index.ts'

/** Frames with pages of files, and the bytes that a container's group has paid for them. */
function cached({ pageCache }: LinuxKernel): number {
  return [...pageCache.all()].reduce((sum, { size }) => sum + size, 0)
}
function paid({ host, name }: Container): number {
  const { tree } = host.kernel.groups
  const text = String(tree.read(tree.root.children.get(name)!, 'memory.stat'))
  const [file, shmem] = ['file', 'shmem'].map((what) => Number(new RegExp(`^${what} (\\d+)$`, 'm').exec(text)?.[1]))
  return file! - shmem!
}

describe.skipIf(!isBusyboxThere)(`containers of one image${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('have the pages of its programs once, and the first to touch one pays', async () => {
    const host = new ContainerHost()
    const { kernel } = host
    const image = await busyboxImage()
    await using one = await createContainer({ image, host, args: ['cat'] })
    await said(one, 'ls -l / | wc -l; sort /etc/passwd')
    const [pages, costs] = [cached(kernel), paid(one)]
    expect(costs).toBe(pages * 4096)
    await using two = await createContainer({ image, host, args: ['cat'] })
    await said(two, 'ls -l / | wc -l; sort /etc/passwd')
    expect([cached(kernel), paid(one), paid(two)]).toEqual([pages, costs, 0])
    await said(two, 'sha256sum /etc/group')
    expect(cached(kernel)).toBeGreaterThan(pages)
    expect(paid(two)).toBe((cached(kernel) - pages) * 4096)
    expect(checkKernel(kernel)).toEqual([])
  }, 60_000)

  it('translate it once, one after the other as well', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    const image = await busyboxImage()
    const { cpu } = host.kernel
    const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done; sha256sum /bin/busybox'
    const translated = async (): Promise<number> => {
      const before = cpu.generated?.translated?.compiled ?? 0
      await using container = await createContainer({ image, host, args: ['sh', '-c', script] })
      expect((await finish(container)).exitCode).toBe(0)
      return (cpu.generated?.translated?.compiled ?? 0) - before
    }
    const first = await translated()
    expect(first).toBeGreaterThan(5)
    let last = first
    for (let n = 0; n < 3; n++) last = await translated()
    expect(last).toBeLessThan(first / 5)
  }, 60_000)

  it('see nothing of what one of them writes to a file of it, while it is being executed and afterwards', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    await using one = await createContainer({ image, host })
    await using two = await createContainer({ image, host })
    const digest = await said(two, 'sha256sum /bin/busybox')
    // The shell that does this is a program of the file that it writes to: it has the lower file mapped, and goes on in that.
    const script =
      'cp /bin/busybox /tmp; printf xxxx | dd of=/bin/busybox conv=notrunc 2>/dev/null; cd /tmp; ./busybox head -c 4 /bin/busybox; ./busybox grep -c " /bin/busybox$" /proc/$$/maps; true'
    expect(await said(one, script)).toMatch(/^xxxx[1-9]/)
    expect(await said(two, 'sha256sum /bin/busybox')).toBe(digest)
    await expect(one.exec({ args: ['sh'] })).rejects.toMatchObject({ code: 'exec-failed' })
    expect(checkKernel(host.kernel)).toEqual([])
  }, 60_000)

  it('do not take pages from each other at their limits', async () => {
    const host = new ContainerHost()
    const { kernel } = host
    const image = await busyboxImage()
    await using one = await createContainer({ image, host, args: ['cat'] })
    await said(one, 'sort /etc/passwd; sha256sum /etc/group')
    const [pages, costs] = [cached(kernel), paid(one)]
    await using two = await createContainer({ image, host, memory: '2M' })
    const killed = await two.exec({ args: ['tail', '-n', '1', '/dev/zero'] })
    expect(killed.signal).toBe('SIGKILL')
    expect(
      await said(two, 'i=0; while [ $i -lt 50 ]; do sort /etc/passwd > /dev/null; i=$((i + 1)); done; echo lives'),
    ).toBe('lives\n')
    expect(two.usage.memoryPeak).toBeLessThanOrEqual(2 << 20)
    expect(paid(one)).toBe(costs)
    expect(cached(kernel)).toBeGreaterThanOrEqual(pages)
    expect(await said(one, 'echo lives too')).toBe('lives too\n')
    expect(checkKernel(kernel)).toEqual([])
  }, 60_000)

  it('leave pages to those who still have them, and behind the last nothing that nobody could take back', async () => {
    const host = new ContainerHost()
    const { kernel } = host
    const { memory } = kernel.groups.tree.root
    const image = await busyboxImage()
    const before = [kernel.frames.used, memory.usage]
    const one = await createContainer({ image, host, args: ['cat'] })
    await said(one, 'sort /etc/passwd')
    const two = await createContainer({ image, host, args: ['sh', '-c', 'while read line; do echo "<$line>"; done'] })
    await one[Symbol.asyncDispose]()
    expect((await finish(two, 'a\nb\n')).output).toBe('<a>\n<b>\n')
    await two[Symbol.asyncDispose]()
    expect(checkKernel(kernel)).toEqual([])
    // Pages of the layers alone, which are nobody's.
    expect([kernel.frames.used - before[0]!, memory.usage - before[1]!]).toEqual([
      cached(kernel) + 1,
      cached(kernel) * 4096,
    ])
    kernel.pageCache.shrink()
    expect([kernel.frames.used - 1, memory.usage]).toEqual(before)
  }, 60_000)

  it('get pages back from what is cached when there is no memory left', async () => {
    const host = new ContainerHost({ memory: '4 MiB' })
    const image = await busyboxImage()
    for (const args of [
      ['sort', '/etc/passwd'],
      ['sha256sum', '/bin/busybox'],
      ['vi', '--help'],
      ['awk', 'BEGIN { print 1 }'],
    ]) {
      await using container = await createContainer({ image, host, args })
      expect((await finish(container)).exitCode).toBeLessThan(2)
    }
    await using last = await createContainer({
      image,
      host,
      args: ['sh', '-c', 'head -c 1500000 /dev/zero | tail -c 1400000 | wc -c'],
    })
    expect((await finish(last)).output).toBe('1400000\n')
    expect(checkKernel(host.kernel)).toEqual([])
  }, 60_000)
})
