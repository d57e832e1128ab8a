/**
 * A terminal of the host for a container's, whose other end goes to `--console-socket` (runc's "Terminals and Standard IO"). Node
 * opens no terminals and sends no descriptors over sockets of others; perl, which every Debian has, does both.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { VmexitError } from '@vmexit/core'

/** Numbers of sendmsg(2) on machines of 64 bits. */
const SENDMSG: Readonly<Record<string, number>> = { x64: 46, arm64: 211, riscv64: 211, loong64: 211 }

/** TIOCSPTLCK, TIOCGPTN, TCGETS and TCSETS without OPOST, since a container's terminal has ended its lines already; then `struct msghdr` with one descriptor (ioctl_tty(2), cmsg(3)). Prints the terminal's number, and waits until its other end is open: without, it would be gone with whoever takes the master and lets it go. */
const SCRIPT = String.raw`
use strict; use Socket;
my ($call, $path) = @ARGV;
open(my $master, '+<', '/dev/ptmx') or die "/dev/ptmx: $!\n";
my $unlocked = pack('i', 0);
ioctl($master, 0x40045431, $unlocked) or die "unlock: $!\n";
my $number = pack('i', 0);
ioctl($master, 0x80045430, $number) or die "number: $!\n";
my $settings = "\0" x 60;
ioctl($master, 0x5401, $settings) or die "settings: $!\n";
substr($settings, 4, 4) = pack('L', unpack('L', substr($settings, 4, 4)) & ~1);
ioctl($master, 0x5402, $settings) or die "settings: $!\n";
$| = 1;
print unpack('i', $number), "\n";
<STDIN>;
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($socket, pack_sockaddr_un($path)) or die "$path: $!\n";
my $name = '/dev/ptmx';
my $iov = pack('P Q', $name, length $name);
my $control = pack('Q i i i x4', 20, SOL_SOCKET, 1, fileno $master);
my $message = pack('Q L x4 P Q P Q i x4', 0, 0, $iov, 1, $control, length $control, 0);
syscall($call, fileno $socket, $message, 0) >= 0 or die "sendmsg: $!\n";
`

/** Opens a terminal, sends its master to a socket, and answers the descriptor of the other end. @throws VmexitError `oci-console`. */
export async function openConsole(socket: string): Promise<number> {
  const call = SENDMSG[process.arch]
  let errors = ''
  try {
    if (call === undefined) throw new Error(`there is no number of sendmsg for ${process.arch}`)
    const perl = spawn('perl', ['-e', SCRIPT, String(call), socket])
    perl.stderr.on('data', (bytes) => {
      errors += bytes
    })
    perl.stdin.on('error', () => {})
    const ended = once(perl, 'close')
    const [number] = (await Promise.race([once(perl.stdout, 'data'), ended])) as [Buffer | number | null]
    if (!(number instanceof Uint8Array)) throw new Error(`perl has ended with ${number}`)
    const descriptor = openSync(`/dev/pts/${number.toString().trim()}`, 'r+')
    perl.stdin.end('\n')
    const [status] = await ended
    if (status === 0) return descriptor
    closeSync(descriptor)
    throw new Error(`perl has ended with ${status}`)
  } catch (cause) {
    throw new VmexitError('oci-console', {
      problem: `no terminal could be sent to ${socket} (${errors.trim() || (cause as Error).message})`,
      remedy: 'look whether perl and /dev/ptmx are there and somebody listens, or set process.terminal to false',
      cause,
    })
  }
}
