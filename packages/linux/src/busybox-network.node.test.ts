/** Debian's static busybox on the network: its servers and clients as processes of one kernel, over loopback. */
import { describe, expect, it } from 'vitest'
import { busybox, isBusyboxThere, WHY_NOT } from '../test/busybox.ts'
import { kernelWith, run } from '../test/run.ts'
import { Strace } from './strace.ts'

describe.skipIf(!isBusyboxThere)(`busybox on the network${isBusyboxThere ? '' : WHY_NOT}`, () => {
  const files = isBusyboxThere ? busybox() : {}
  const sh = (script: string, options: Partial<Parameters<typeof run>[0]> = {}) =>
    run({ files, args: ['/bin/busybox', 'sh', '-c', script], engine: 'jit', ...options })
  const b = '/bin/busybox'

  const scripts: readonly (readonly [what: string, script: string, output: string | RegExp])[] = [
    [
      'files by httpd for wget',
      `mkdir /tmp/www; echo hello > /tmp/www/greeting; seq 100000 > /tmp/www/numbers
       ${b} httpd -f -p 127.0.0.1:8080 -h /tmp/www & sleep 1
       ${b} wget -q -O - http://127.0.0.1:8080/greeting
       ${b} wget -q -O - http://127.0.0.1:8080/numbers | cmp - /tmp/www/numbers && echo same
       ${b} wget -q -O - http://127.0.0.1:8080/none || echo none
       kill $!`,
      'hello\nsame\nwget: server returned error: HTTP/1.1 404 Not Found\nnone\n',
    ],
    [
      'a line by nc, and what nobody listens to',
      `${b} nc -l -p 9000 > /tmp/got & sleep 1
       echo through nc | ${b} nc 127.0.0.1 9000; wait; cat /tmp/got
       ${b} nc 127.0.0.1 9000; echo $?`,
      "through nc\nnc: can't connect to remote host (127.0.0.1): Connection refused\n1\n",
    ],
    [
      'an echo by a program behind nc',
      `${b} nc -ll -p 9002 -e cat & sleep 1; echo echoed | ${b} nc 127.0.0.1 9002; kill $!`,
      'echoed\n',
    ],
    [
      'ping',
      `${b} ping -c 2 127.0.0.1 | grep packets; ${b} ping -c 1 -W 1 192.0.2.1; echo $?`,
      /^2 packets transmitted, 2 packets received, 0% packet loss\nPING 192.0.2.1 .*\nping: sendto: Network is unreachable\n1\n$/,
    ],
    [
      'addresses and routes by ip',
      `${b} ip link add br0 type bridge; ${b} ip link set br0 up; ${b} ip addr add 10.9.0.1/16 dev br0
       ${b} ip route add 192.168.0.0/16 via 10.9.0.2; ${b} ip route; ${b} ip -4 addr show br0 | grep inet
       ${b} ip route del 192.168.0.0/16; ${b} ip addr del 10.9.0.1/16 dev br0; ${b} ip route; ${b} ip link | grep -c UP`,
      `10.9.0.0/16 dev br0 scope link  src 10.9.0.1 \n192.168.0.0/16 via 10.9.0.2 dev br0 \n    inet 10.9.0.1/16 brd 10.9.255.255 scope global br0\n2\n`,
    ],
    [
      'addresses and routes by ifconfig and route',
      `${b} ip link add d0 type dummy; ${b} ifconfig d0 10.1.2.3 netmask 255.255.255.0
       ${b} route add -net 172.16.0.0 netmask 255.240.0.0 gw 10.1.2.9 metric 5
       ${b} ifconfig d0 | grep inet; ${b} route -n | grep d0`,
      /inet addr:10\.1\.2\.3 {2}Bcast:10\.1\.2\.255 {2}Mask:255\.255\.255\.0\n10\.1\.2\.0 +0\.0\.0\.0 .*d0\n172\.16\.0\.0 +10\.1\.2\.9 +255\.240\.0\.0 +UG +5 .*d0\n/,
    ],
    [
      'sockets that are open, by netstat and /proc',
      `${b} nc -l -p 9000 & sleep 1; ${b} netstat -tln 2>/dev/null | grep 9000
       ls -l /proc/$!/fd | grep -o 'socket:.*' | tr -d 0-9; kill $!`,
      /^tcp +0 +0 0\.0\.0\.0:9000 +0\.0\.0\.0:\* +LISTEN *\nsocket:\[\]\n$/,
    ],
    [
      'nothing of the network to users without privileges',
      `${b} ip link set lo down; ${b} ping -c 1 127.0.0.1 2>&1 | head -1; ${b} nc -l -p 80; echo $?`,
      /^ip: SIOCSIFFLAGS: Operation not permitted\nPING 127.0.0.1 [^\n]*\nnc: bind: Permission denied\n1\n$/,
    ],
  ]
  it.each(scripts)(
    'has %s',
    (what, script, expected) => {
      const uid = what.includes('privileges') ? { uid: 1000 } : {}
      const { output, wrong } = sh(script, uid)
      if (typeof expected === 'string') expect(output).toBe(expected)
      else expect(output).toMatch(expected)
      expect(wrong).toEqual([])
    },
    60_000,
  )

  it('is traced as strace does it, what comes by socketcall(2) too', () => {
    const kernel = kernelWith({ engine: 'interpreter' }, files)
    const lines: string[] = []
    kernel.observer = new Strace(kernel.calls, (line) => lines.push(line))
    kernel.spawn({ path: '/bin/busybox', args: ['busybox', 'wget', '-q', 'http://127.0.0.1:1/'] })
    kernel.runToEnd()
    expect(lines.join('\n')).toMatch(/^socket\(AF_INET, SOCK_STREAM, 0\) += 0$/m)
    expect(lines.join('\n')).toMatch(
      /^connect\(0, {sa_family=AF_INET, sin_port=htons\(1\), sin_addr=inet_addr\("127.0.0.1"\)}, 16\) = -1 ECONNREFUSED \(/m,
    )
  })
})
