/**
 * A terminal of the host for a container's, whose other end goes to `--console-socket` (runc's "Terminals and Standard IO"). Node
 * opens no terminals and sends no descriptors over sockets of others; perl, which every Debian has, does both.
 */
import { execFile } from 'node:child_process'
import { openSync } from 'node:fs'
import { promisify } from 'node:util'
import { VmexitError } from '@vmexit/core'

/** Numbers of sendmsg(2) on machines of 64 bits. */
const SENDMSG: Readonly<Record<string, number>> = { x64: 46, arm64: 211, riscv64: 211, loong64: 211 }

/** TIOCSPTLCK and TIOCGPTN, then `struct msghdr` with one descriptor (ioctl_tty(2), cmsg(3)). Prints the terminal's number. */
const SCRIPT = String.raw`
use strict; use Socket;
my ($call, $path) = @ARGV;
open(my $master, '+<', '/dev/ptmx') or die "/dev/ptmx: $!\n";
my $unlocked = pack('i', 0);
ioctl($master, 0x40045431, $unlocked) or die "unlock: $!\n";
my $number = pack('i', 0);
ioctl($master, 0x80045430, $number) or die "number: $!\n";
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($socket, pack_sockaddr_un($path)) or die "$path: $!\n";
my $name = '/dev/ptmx';
my $iov = pack('P Q', $name, length $name);
my $control = pack('Q i i i x4', 20, SOL_SOCKET, 1, fileno $master);
my $message = pack('Q L x4 P Q P Q i x4', 0, 0, $iov, 1, $control, length $control, 0);
syscall($call, fileno $socket, $message, 0) >= 0 or die "sendmsg: $!\n";
print unpack('i', $number);
`

/** Opens a terminal, sends its master to a socket, and answers the descriptor of the other end. @throws VmexitError `oci-console`. */
export async function openConsole(socket: string): Promise<number> {
  const call = SENDMSG[process.arch]
  try {
    if (call === undefined) throw new Error(`there is no number of sendmsg for ${process.arch}`)
    const { stdout } = await promisify(execFile)('perl', ['-e', SCRIPT, String(call), socket])
    return openSync(`/dev/pts/${stdout.trim()}`, 'r+')
  } catch (cause) {
    const { message, stderr = '' } = cause as Error & { readonly stderr?: string }
    throw new VmexitError('oci-console', {
      problem: `no terminal could be sent to ${socket} (${stderr.trim() || message})`,
      remedy: 'look whether perl and /dev/ptmx are there and somebody listens, or set process.terminal to false',
      cause,
    })
  }
}
