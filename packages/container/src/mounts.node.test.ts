/** Volumes of containers: what is shared, what is kept, and what does not lead anywhere else. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TmpFs } from '@vmexit/vfs'
import { type HostVolume, hostVolume } from '@vmexit/vfs/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { said, shell } from '../test/run.ts'
import { ContainerHost, type ContainerMount, createContainer } from './index.ts'

let base: string
let folder: string
let volume: HostVolume
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vmexit-mounts-'))
  folder = join(base, 'folder')
  mkdirSync(folder)
  writeFileSync(join(folder, 'f'), 'of the host\n')
  writeFileSync(join(base, 'secret'), 'secret\n')
  volume = hostVolume(folder)
})
afterEach(() => {
  volume[Symbol.dispose]()
  rmSync(base, { recursive: true, force: true })
})

const at = (destination: string, more: object = {}): ContainerMount => ({
  ...{ type: 'volume', destination, fileSystem: volume },
  ...more,
})

describe.skipIf(!isBusyboxThere)(`a volume${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('is read and written on the host, at a place that is made for it', async () => {
    const script =
      'cat /a/new/place/f; echo own > /a/new/place/g; mv /a/new/place/f /a/new/place/h; ls -l /a/new/place | wc -l'
    const ran = await shell(script, { mounts: [at('/a/new/place')] })
    expect(ran).toEqual({ output: 'of the host\n3\n', errors: '', exitCode: 0 })
    expect(readdirSync(folder).sort()).toEqual(['g', 'h'])
    expect(readFileSync(join(folder, 'g'), 'utf8')).toBe('own\n')
  }, 60_000)

  it('may be read-only, also below a root that is', async () => {
    const ran = await shell('cat /v/f; touch /v/x; touch /y; touch /w/z', {
      readOnly: true,
      mounts: [at('/v', { readOnly: true }), at('/w')],
    })
    expect(ran.output).toBe('of the host\n')
    expect(ran.errors.match(/Read-only/g)).toHaveLength(2)
    expect(readdirSync(folder).sort()).toEqual(['f', 'z'])
  }, 60_000)

  it('is one file, over one of the image', async () => {
    using one = hostVolume(join(folder, 'f'))
    const mount: ContainerMount = { type: 'volume', destination: '/etc/passwd', fileSystem: one, file: one.file }
    const ran = await shell(
      'cat /etc/passwd; echo more >> /etc/passwd; rm /etc/passwd; mv /etc/group /etc/passwd; ls /etc',
      { mounts: [mount] },
    )
    expect(ran.output).toContain('of the host\n')
    expect(ran.errors.match(/busy/g)).toHaveLength(2)
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('of the host\nmore\n')
  }, 60_000)

  it('does not lead out of it: links, names and swaps that a container makes', async () => {
    const script = `
      cd /v
      for t in ../secret ../../secret ${join(base, 'secret')} /proc/1/root/../secret /proc/self/cwd/../secret; do
        ln -s $t l; cat l; echo pwned > l; rm -f l
      done
      ln -s .. up; cat up/secret; touch up/made; mkdir up/dir; rm up
      mkdir d; cd d; ln -s ${base} ../swap; mv ../d ../e; mv ../swap ../d; cat ../d/secret; touch made; cd ..; cat d/secret; ls e
      cat /v/../secret; ls /v/.. | grep -c secret
      ln f hard; echo x > hard; true`
    const ran = await shell(script, { mounts: [at('/v')], capAdd: ['ALL'] })
    expect(ran.output + ran.errors).not.toContain('secret\n')
    expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('secret\n')
    expect(readdirSync(base).sort()).toEqual(['folder', 'secret'])
    expect(readFileSync(join(folder, 'f'), 'utf8')).toBe('x\n')
    expect(readdirSync(join(folder, 'e'))).toEqual(['made'])
  }, 60_000)

  it('has a link of the host that leads out, and nobody follows it there', async () => {
    symlinkSync(join(base, 'secret'), join(folder, 'link'))
    symlinkSync(base, join(folder, 'dir'))
    const ran = await shell('cat /v/link; echo x > /v/link; cat /v/dir/secret; readlink /v/link | grep -c secret', {
      mounts: [at('/v')],
    })
    expect(ran.output).toBe('1\n')
    expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('secret\n')
  }, 60_000)

  it('gives nobody devices or rights: nodes are not made, and those that there are stand for nothing', async () => {
    const ran = await shell('mknod /v/sda b 8 0; mkfifo /v/p; cp /bin/busybox /v/su; chmod 4755 /v/su; ls /v | wc -l', {
      mounts: [at('/v')],
    })
    expect(ran.errors.match(/not permitted/g)).toHaveLength(2)
    expect(ran.output).toBe('2\n')
    // As with Docker a set-user-ID bit is kept on the host, for whoever may reach the folder there.
    expect(statSync(join(folder, 'su')).mode & 0o7777).toBe(0o4755)
  }, 60_000)

  it('is shared by containers while they run', async () => {
    const host = new ContainerHost()
    const image = await busyboxImage()
    const options = { image, host, args: ['cat'] }
    await using one = await createContainer({ ...options, mounts: [at('/v')] })
    await using two = await createContainer({ ...options, mounts: [at('/other', { readOnly: true })] })
    await said(one, 'echo hello > /v/message')
    expect(await said(two, 'cat /other/message; touch /other/x')).toMatch(/^hello\n.*Read-only/)
    writeFileSync(join(folder, 'message'), 'from outside\n')
    expect(await said(one, 'cat /v/message')).toBe('from outside\n')
  }, 60_000)

  it('begins with what the image has there, if it is empty and is to', async () => {
    rmSync(join(folder, 'f'))
    const copied = await shell('ls /etc; echo x >> /etc/group; ln -s a /etc/b', {
      mounts: [at('/etc', { copy: true })],
    })
    expect(copied.output).toBe('group\nhostname\nhosts\npasswd\n')
    expect(existsSync(join(folder, 'passwd'))).toBe(true)
    rmSync(join(folder, 'passwd'))
    expect((await shell('ls /etc', { mounts: [at('/etc', { copy: true })] })).output).toBe(
      'b\ngroup\nhostname\nhosts\n',
    )
  }, 60_000)

  it('that is its own ends with it, also where it cannot be made', async () => {
    let ended = 0
    const fileSystem = Object.assign(new TmpFs({ time: { seconds: 1, nanoseconds: 0 } }), {
      [Symbol.dispose]: () => void ended++,
    })
    const options = { image: await busyboxImage(), args: ['true'], mounts: [at('/v', { fileSystem, owned: true })] }
    // It has no network to publish a port of.
    await expect(createContainer({ ...options, publish: [{ port: 80 }] })).rejects.toMatchObject({
      code: 'container-options',
    })
    expect(ended).toBe(1)
    await using container = await createContainer(options)
    await container.exited
    await container[Symbol.asyncDispose]()
    expect(ended).toBe(2)
  }, 60_000)

  it('may be any file system, and file systems in memory are paid by the container', async () => {
    const fileSystem = new TmpFs({ time: { seconds: 0, nanoseconds: 0 } })
    await shell('echo kept > /v/x', { mounts: [{ type: 'volume', destination: '/v', fileSystem }] })
    const ran = await shell(
      'cat /v/x; dd if=/dev/zero of=/t/big bs=64k count=9 2>/dev/null; wc -c < /t/big; grep "/t" /proc/mounts',
      {
        mounts: [
          { type: 'volume', destination: '/v', fileSystem },
          { type: 'tmpfs', destination: '/t', size: 131_072, mode: 0o700 },
        ],
      },
    )
    expect(ran.output).toMatch(/^kept\n131072\ntmpfs \/t tmpfs rw,nosuid,nodev,noexec,relatime 0 0\n$/)
    const mounts: ContainerMount[] = [{ type: 'tmpfs', destination: '/t' }]
    const small = await shell('dd if=/dev/zero of=/t/big bs=64k count=99 2>&1 | head -1', { mounts, memory: '3M' })
    expect(small.output + small.errors).toMatch(/memory|Killed/i)
  }, 60_000)

  it.each(['relative', '/', '/..', '/.'])('is refused at %s', async (destination) => {
    const image = await busyboxImage()
    await expect(createContainer({ image, mounts: [at(destination)] })).rejects.toMatchObject({
      code: 'container-options',
    })
  })
})
