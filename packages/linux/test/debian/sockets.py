# python3: sockets of all kinds, servers and clients in one process, asyncio with streams, subprocesses and signals.
import asyncio, http.client, http.server, os, select, selectors, signal, socket, socketserver, struct, sys, threading, xmlrpc.client, xmlrpc.server
a, b = socket.socketpair(); a.sendall(b'hello'); print(b.recv(10)); a.shutdown(socket.SHUT_WR); print(b.recv(10)); a.close(); b.close()
server = socket.create_server(('127.0.0.1', 0)); port = server.getsockname()[1]
def serve():
    peer, address = server.accept()
    with peer: peer.sendall(peer.recv(1000).upper()); print(address[0])
thread = threading.Thread(target=serve); thread.start()
with socket.create_connection(('127.0.0.1', port)) as client: client.sendall(b'through tcp'); print(client.recv(100)); 
thread.join(); server.close()
try: socket.create_connection(('127.0.0.1', port), 1)
except OSError as error: print(type(error).__name__, error.errno)
u, v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('127.0.0.1', 0)); v.sendto(b'datagram', u.getsockname()); print(u.recvfrom(100)[0]); u.settimeout(0.05)
try: u.recv(1)
except TimeoutError: print('timeout')
path = '/tmp/socket'; unix = socket.socket(socket.AF_UNIX); unix.bind(path); unix.listen(); c = socket.socket(socket.AF_UNIX); c.connect(path); d, _ = unix.accept()
r, w = os.pipe(); socket.send_fds(c, [b'take'], [r]); message, fds, *_ = socket.recv_fds(d, 100, 1); os.write(w, b'passed'); print(message, os.read(fds[0], 10))
print(struct.unpack('3i', d.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:], os.path.exists(path))
print(socket.getaddrinfo('localhost', 'http', family=socket.AF_INET, type=socket.SOCK_STREAM)[0][4][:2], socket.gethostname(), socket.getservbyname('ssh'))
print([name for _, name in socket.if_nameindex()][:1])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.send_header('Content-Length', '4'); self.end_headers(); self.wfile.write(b'page')
    def log_message(self, *_): pass
web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler); threading.Thread(target=web.serve_forever, daemon=True).start()
connection = http.client.HTTPConnection(*web.server_address[:2]); connection.request('GET', '/'); print(connection.getresponse().read()); connection.close(); web.shutdown()
rpc = xmlrpc.server.SimpleXMLRPCServer(('127.0.0.1', 0), logRequests=False); rpc.register_function(pow); threading.Thread(target=rpc.handle_request).start()
print(xmlrpc.client.ServerProxy('http://127.0.0.1:%d' % rpc.server_address[1]).pow(2, 10))
async def echo(reader, writer):
    writer.write((await reader.readline())[::-1]); await writer.drain(); writer.close()
async def main():
    print(await asyncio.gather(*(asyncio.sleep(0.01 * (3 - n), n) for n in range(3))))
    listener = await asyncio.start_server(echo, '127.0.0.1', 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()); writer.write(b'abc\n'); print(await reader.read()); writer.close()
    listener.close()
    listener = await asyncio.start_unix_server(echo, '/tmp/async'); reader, writer = await asyncio.open_unix_connection('/tmp/async'); writer.write(b'xyz\n'); print(await reader.read()); writer.close(); listener.close()
    child = await asyncio.create_subprocess_exec('sort', stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE); print((await child.communicate(b'b\na\n'))[0], child.returncode)
    done = asyncio.Event(); asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, done.set); os.kill(os.getpid(), signal.SIGUSR1); await asyncio.wait_for(done.wait(), 1); print('signal')
    try: await asyncio.wait_for(asyncio.sleep(9), 0.02)
    except TimeoutError: print('late')
    print(await asyncio.to_thread(sum, [1, 2, 3])); queue = asyncio.Queue(); await queue.put(1); print(await queue.get())
asyncio.run(main()); print(type(selectors.DefaultSelector()).__name__)
