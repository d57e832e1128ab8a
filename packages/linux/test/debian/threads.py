# Threads that fight over a lock, a child, JSON: an example whose counts are compared.
import json, os, random, subprocess, threading, time
lock, done = threading.Lock(), []
def work(n):
    for i in range(1000):
        with lock: done.append(n)
    time.sleep(0.001 * random.random())
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps({'done': len(done), 'pid': os.getpid(), 'random': os.urandom(4).hex(), 'time': time.time()}))
print(subprocess.check_output(['sh', '-c', 'echo child $$; ls /proc | head -n 3'], text=True))
