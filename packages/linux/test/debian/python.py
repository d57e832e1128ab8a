# python3: modules in C, threads, processes, files in memory, a database, a terminal, arithmetic.
import json, threading, subprocess, os, sys, hashlib, queue, time, tempfile, signal, select, multiprocessing, re, struct, zlib, lzma, bz2, decimal, datetime, random, pickle, collections, itertools, math, uuid, glob, shutil, csv, io, configparser, ctypes, mmap, array, concurrent.futures as cf, logging, urllib.parse, unicodedata, base64, textwrap, locale
print(json.dumps({"a":[1,2.5,None,True],"b":"é"}, sort_keys=True), json.loads('{"x": 1e3}'))
r=[]
l=threading.Lock()
def w(n):
    for i in range(1000):
        with l: r.append(n)
ts=[threading.Thread(target=w,args=(i,)) for i in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]; print(len(r), threading.active_count())
q=queue.Queue()
def prod():
    for i in range(10): q.put(i); time.sleep(0.01)
    q.put(None)
threading.Thread(target=prod).start(); s=0
while (x:=q.get()) is not None: s+=x
print(s)
e=threading.Event(); print(e.wait(0.05)); c=threading.Condition()
print(subprocess.run(['echo','hi'],capture_output=True,text=True).stdout.strip(), subprocess.check_output('echo $0; exit 0',shell=True))
p=subprocess.Popen(['cat'],stdin=subprocess.PIPE,stdout=subprocess.PIPE); print(p.communicate(b'data'*1000)[0][:8], p.returncode)
print(subprocess.call(['false']), subprocess.run(['sh','-c','kill -9 $$']).returncode)
try: subprocess.run(['sleep','5'],timeout=0.2)
except subprocess.TimeoutExpired as e: print('timeout')
with cf.ThreadPoolExecutor(4) as ex: print(list(ex.map(lambda x:x*x, range(5))))
print(hashlib.sha256(b'x').hexdigest()[:16], zlib.crc32(b'x'), len(lzma.compress(b'a'*1000)), len(bz2.compress(b'a'*1000)))
print(decimal.Decimal(1)/3, math.sin(1.0), 0.1+0.2, 2**100, 1e308*10, float('nan'), math.gamma(5.5), round(2.675,2), math.exp(1), math.pow(2,.5), 10/3)
print(datetime.datetime(2020,1,1)+datetime.timedelta(days=60), struct.pack('<IQ',1,2), pickle.loads(pickle.dumps({'a':(1,2)})))
random.seed(1); print(random.random(), random.randint(1,100), random.sample(range(100),3))
fd=os.open('/tmp/m',os.O_RDWR|os.O_CREAT); os.ftruncate(fd,8192); m=mmap.mmap(fd,8192); m[0:5]=b'hello'; m.flush(); print(os.pread(fd,5,0)); m.close()
r_,w_=os.pipe(); pid=os.fork()
if pid==0: os.write(w_,b'child'); os._exit(3)
print(os.read(r_,10), os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))
signal.signal(signal.SIGALRM, lambda s,f: print('alarm',s)); signal.setitimer(signal.ITIMER_REAL,0.05); time.sleep(0.1)
print(select.select([r_],[],[],0.01)); po=select.poll(); po.register(w_,select.POLLOUT); print(po.poll(10)==[(w_,4)])
ep=select.epoll(); ep.register(r_,select.EPOLLIN); os.write(w_,b'x'); print(ep.poll(1)==[(r_,1)])
if __name__=='__main__':
    ctx=multiprocessing.get_context('fork')
    with ctx.Pool(2) as pool: print(pool.map(abs,[-1,-2,3]))
    qq=ctx.Queue(); pr=ctx.Process(target=qq.put,args=('mp',)); pr.start(); print(qq.get()); pr.join()
libc=ctypes.CDLL(None); print(libc.strlen(b'hello'), ctypes.sizeof(ctypes.c_long)); cb=ctypes.CFUNCTYPE(ctypes.c_int,ctypes.c_int)(lambda x:x+1); print(cb(4))
print(os.getcwd(), sorted(os.listdir('/'))[:4], os.path.exists('/etc/passwd'), os.stat('/etc/hostname').st_size, os.uname().sysname)
import sqlite3; db=sqlite3.connect('/tmp/x.db'); db.execute('create table t(a,b)'); db.executemany('insert into t values(?,?)',[(i,i*i) for i in range(100)]); db.commit(); print(db.execute('select sum(b), avg(a) from t').fetchone()); db.execute('pragma journal_mode=wal'); db.execute('insert into t values(1,2)'); db.commit(); print(sqlite3.connect('/tmp/x.db').execute('select count(*) from t').fetchone())
import pty, termios, tty, fcntl, resource, pwd, grp; print(pwd.getpwuid(0).pw_dir, grp.getgrgid(4).gr_name, resource.getrlimit(resource.RLIMIT_NOFILE)[0]>100)
pid,fd2=pty.fork()
if pid==0: os.execlp('sh','sh','-c','tty >/dev/null && echo istty; stty size')
out=b''
try:
    while True:
        d=os.read(fd2,100)
        if not d: break
        out+=d
except OSError as e: print(e.errno)
print(out, os.waitpid(pid,0)[1])
print(sum(i*i for i in range(20000)), sorted('hello world'), re.findall(r'\w+','a b-c'), textwrap.fill('aaa bbb ccc',7))
import inspect, ast; print(ast.dump(ast.parse('1+x')), unicodedata.name('é'), uuid.uuid5(uuid.NAMESPACE_DNS,'x'), sys.version_info[:3], sys.maxsize, sys.byteorder, sys.float_info.epsilon)
print(time.time()>1e9, time.monotonic()>=0, time.strftime('%Y',time.gmtime(0)), len(os.urandom(8)), os.cpu_count()>=1, os.get_terminal_size.__name__)
fcntl.flock(fd,fcntl.LOCK_EX|fcntl.LOCK_NB); fcntl.lockf(fd,fcntl.LOCK_EX); print('locked'); print(os.sendfile(w_, os.open('/etc/hostname',0), 0, 5), os.statvfs('/tmp').f_bsize, os.sched_getaffinity(0)!=set())
os.memfd_create and print(os.fstat(os.memfd_create('x')).st_size); print(tempfile.TemporaryFile().write(b'abc')); print(os.copy_file_range.__name__)
try: raise SystemExit(3)
finally: print('bye', file=sys.stderr)
