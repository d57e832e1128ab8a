/** Debian's static busybox on the network: its servers and clients as processes of one kernel, over loopback. */
import { describe, expect, it } from 'vitest'
import { busybox, isBusyboxThere, WHY_NOT } from '../test/busybox.ts'
import { run } from '../test/run.ts'

describe.skipIf(!isBusyboxThere)(`busybox on the network${isBusyboxThere ? '' : WHY_NOT}`, () => {
  const files = isBusyboxThere ? busybox() : {}
  const sh = (script: string, options: Partial<Parameters<typeof run>[0]> = {}) =>
    run({ files, args: ['/bin/busybox', 'sh', '-c', script], engine: 'jit', ...options })

  it('serves files by httpd to wget', () => {
    const script = `
      mkdir /tmp/www; echo hello > /tmp/www/greeting; seq 100000 > /tmp/www/numbers
      busybox httpd -p 127.0.0.1:8080 -h /tmp/www
      busybox wget -q -O - http://127.0.0.1:8080/greeting
      busybox wget -q -O - http://127.0.0.1:8080/numbers | md5sum
      md5sum < /tmp/www/numbers
      busybox wget -q -O - http://127.0.0.1:8080/none; echo $?
      busybox killall httpd
    `
    const { output, wrong } = sh(script)
    expect(output).toBe('')
    expect(wrong).toEqual([])
  }, 60_000)
})
