/** A container of a whole Debian for i386, as `vmexit guests` builds its root file system. */
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Images } from '@vmexit/image'
import { directoryStore, nodeCodecs } from '@vmexit/image/node'
import { checkKernel } from '@vmexit/linux'
import { afterAll, describe, expect, it } from 'vitest'
import { finish, said } from '../test/run.ts'
import { ContainerHost, createContainer } from './index.ts'

const archive = join(homedir(), '.cache/vmexit/guests/debian-root/root.tar')
const isThere = existsSync(archive)
const folder = mkdtempSync(join(tmpdir(), 'vmexit-container-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.skipIf(!isThere)(
  `Debian in a container${isThere ? '' : ' (skipped: `vmexit guests` has not built its root)'}`,
  () => {
    it('runs its shell, its tools and its package manager, and the image stays as it was', async () => {
      const images = new Images({ store: directoryStore(join(folder, 'store')), codecs: nodeCodecs })
      const image = await images.import(createReadStream(archive), { name: 'debian', config: { Cmd: ['/bin/bash'] } })
      const host = new ContainerHost()
      {
        await using container = await createContainer({ image, host, memory: '256M', hostname: 'deb' })
        expect(
          await said(container, '. /etc/os-release; echo $ID $VERSION_ID; id -un; hostname; dpkg --print-architecture'),
        ).toBe('debian 12\nroot\ndeb\ni386\n')
        expect(await said(container, 'dpkg-query -W bash | grep -c ^bash; find / -xdev -type f | wc -l')).toMatch(
          /^1\n[0-9]{4,}\n$/,
        )
        expect(await said(container, 'useradd -m someone && su someone -c "id -un; pwd; cd; pwd"')).toContain(
          'someone\n/\n/home/someone\n',
        )
        expect(
          await said(
            container,
            'chown nobody /etc/motd && stat -c %U /etc/motd; mount -t tmpfs x /mnt 2>/dev/null || echo no',
          ),
        ).toBe('nobody\nno\n')
      }
      await using later = await createContainer({
        image,
        host,
        user: 'www-data',
        args: ['bash', '-c', 'id -un; grep -c someone /etc/passwd'],
      })
      expect((await finish(later)).output).toBe('www-data\n0\n')
      expect(checkKernel(host.kernel)).toEqual([])
    }, 300_000)
  },
)
