/* Numbers of the system calls of i386 (arch/x86/entry/syscalls/syscall_32.tbl). */
#pragma once
enum {
  NR_restart_syscall = 0, NR_exit = 1, NR_fork = 2, NR_read = 3, NR_write = 4, NR_open = 5, NR_close = 6, NR_waitpid =
  7, NR_creat = 8, NR_link = 9, NR_unlink = 10, NR_execve = 11, NR_chdir = 12, NR_time = 13, NR_mknod = 14, NR_chmod =
  15, NR_lchown = 16, NR_break = 17, NR_oldstat = 18, NR_lseek = 19, NR_getpid = 20, NR_mount = 21, NR_umount = 22,
  NR_setuid = 23, NR_getuid = 24, NR_stime = 25, NR_ptrace = 26, NR_alarm = 27, NR_oldfstat = 28, NR_pause = 29,
  NR_utime = 30, NR_stty = 31, NR_gtty = 32, NR_access = 33, NR_nice = 34, NR_ftime = 35, NR_sync = 36, NR_kill = 37,
  NR_rename = 38, NR_mkdir = 39, NR_rmdir = 40, NR_dup = 41, NR_pipe = 42, NR_times = 43, NR_prof = 44, NR_brk = 45,
  NR_setgid = 46, NR_getgid = 47, NR_signal = 48, NR_geteuid = 49, NR_getegid = 50, NR_acct = 51, NR_umount2 = 52,
  NR_lock = 53, NR_ioctl = 54, NR_fcntl = 55, NR_mpx = 56, NR_setpgid = 57, NR_ulimit = 58, NR_oldolduname = 59,
  NR_umask = 60, NR_chroot = 61, NR_ustat = 62, NR_dup2 = 63, NR_getppid = 64, NR_getpgrp = 65, NR_setsid = 66,
  NR_sigaction = 67, NR_sgetmask = 68, NR_ssetmask = 69, NR_setreuid = 70, NR_setregid = 71, NR_sigsuspend = 72,
  NR_sigpending = 73, NR_sethostname = 74, NR_setrlimit = 75, NR_getrlimit = 76, NR_getrusage = 77, NR_gettimeofday =
  78, NR_settimeofday = 79, NR_getgroups = 80, NR_setgroups = 81, NR_select = 82, NR_symlink = 83, NR_oldlstat = 84,
  NR_readlink = 85, NR_uselib = 86, NR_swapon = 87, NR_reboot = 88, NR_readdir = 89, NR_mmap = 90, NR_munmap = 91,
  NR_truncate = 92, NR_ftruncate = 93, NR_fchmod = 94, NR_fchown = 95, NR_getpriority = 96, NR_setpriority = 97,
  NR_profil = 98, NR_statfs = 99, NR_fstatfs = 100, NR_ioperm = 101, NR_socketcall = 102, NR_syslog = 103,
  NR_setitimer = 104, NR_getitimer = 105, NR_stat = 106, NR_lstat = 107, NR_fstat = 108, NR_olduname = 109, NR_iopl =
  110, NR_vhangup = 111, NR_idle = 112, NR_vm86old = 113, NR_wait4 = 114, NR_swapoff = 115, NR_sysinfo = 116, NR_ipc =
  117, NR_fsync = 118, NR_sigreturn = 119, NR_clone = 120, NR_setdomainname = 121, NR_uname = 122, NR_modify_ldt =
  123, NR_adjtimex = 124, NR_mprotect = 125, NR_sigprocmask = 126, NR_create_module = 127, NR_init_module = 128,
  NR_delete_module = 129, NR_get_kernel_syms = 130, NR_quotactl = 131, NR_getpgid = 132, NR_fchdir = 133, NR_bdflush =
  134, NR_sysfs = 135, NR_personality = 136, NR_afs_syscall = 137, NR_setfsuid = 138, NR_setfsgid = 139, NR__llseek =
  140, NR_getdents = 141, NR__newselect = 142, NR_flock = 143, NR_msync = 144, NR_readv = 145, NR_writev = 146,
  NR_getsid = 147, NR_fdatasync = 148, NR__sysctl = 149, NR_mlock = 150, NR_munlock = 151, NR_mlockall = 152,
  NR_munlockall = 153, NR_sched_setparam = 154, NR_sched_getparam = 155, NR_sched_setscheduler = 156,
  NR_sched_getscheduler = 157, NR_sched_yield = 158, NR_sched_get_priority_max = 159, NR_sched_get_priority_min = 160,
  NR_sched_rr_get_interval = 161, NR_nanosleep = 162, NR_mremap = 163, NR_setresuid = 164, NR_getresuid = 165, NR_vm86
  = 166, NR_query_module = 167, NR_poll = 168, NR_nfsservctl = 169, NR_setresgid = 170, NR_getresgid = 171, NR_prctl =
  172, NR_rt_sigreturn = 173, NR_rt_sigaction = 174, NR_rt_sigprocmask = 175, NR_rt_sigpending = 176,
  NR_rt_sigtimedwait = 177, NR_rt_sigqueueinfo = 178, NR_rt_sigsuspend = 179, NR_pread64 = 180, NR_pwrite64 = 181,
  NR_chown = 182, NR_getcwd = 183, NR_capget = 184, NR_capset = 185, NR_sigaltstack = 186, NR_sendfile = 187,
  NR_getpmsg = 188, NR_putpmsg = 189, NR_vfork = 190, NR_ugetrlimit = 191, NR_mmap2 = 192, NR_truncate64 = 193,
  NR_ftruncate64 = 194, NR_stat64 = 195, NR_lstat64 = 196, NR_fstat64 = 197, NR_lchown32 = 198, NR_getuid32 = 199,
  NR_getgid32 = 200, NR_geteuid32 = 201, NR_getegid32 = 202, NR_setreuid32 = 203, NR_setregid32 = 204, NR_getgroups32
  = 205, NR_setgroups32 = 206, NR_fchown32 = 207, NR_setresuid32 = 208, NR_getresuid32 = 209, NR_setresgid32 = 210,
  NR_getresgid32 = 211, NR_chown32 = 212, NR_setuid32 = 213, NR_setgid32 = 214, NR_setfsuid32 = 215, NR_setfsgid32 =
  216, NR_pivot_root = 217, NR_mincore = 218, NR_madvise = 219, NR_getdents64 = 220, NR_fcntl64 = 221, NR_gettid =
  224, NR_readahead = 225, NR_setxattr = 226, NR_lsetxattr = 227, NR_fsetxattr = 228, NR_getxattr = 229, NR_lgetxattr
  = 230, NR_fgetxattr = 231, NR_listxattr = 232, NR_llistxattr = 233, NR_flistxattr = 234, NR_removexattr = 235,
  NR_lremovexattr = 236, NR_fremovexattr = 237, NR_tkill = 238, NR_sendfile64 = 239, NR_futex = 240,
  NR_sched_setaffinity = 241, NR_sched_getaffinity = 242, NR_set_thread_area = 243, NR_get_thread_area = 244,
  NR_io_setup = 245, NR_io_destroy = 246, NR_io_getevents = 247, NR_io_submit = 248, NR_io_cancel = 249, NR_fadvise64
  = 250, NR_exit_group = 252, NR_lookup_dcookie = 253, NR_epoll_create = 254, NR_epoll_ctl = 255, NR_epoll_wait = 256,
  NR_remap_file_pages = 257, NR_set_tid_address = 258, NR_timer_create = 259, NR_timer_settime = 260, NR_timer_gettime
  = 261, NR_timer_getoverrun = 262, NR_timer_delete = 263, NR_clock_settime = 264, NR_clock_gettime = 265,
  NR_clock_getres = 266, NR_clock_nanosleep = 267, NR_statfs64 = 268, NR_fstatfs64 = 269, NR_tgkill = 270, NR_utimes =
  271, NR_fadvise64_64 = 272, NR_vserver = 273, NR_mbind = 274, NR_get_mempolicy = 275, NR_set_mempolicy = 276,
  NR_mq_open = 277, NR_mq_unlink = 278, NR_mq_timedsend = 279, NR_mq_timedreceive = 280, NR_mq_notify = 281,
  NR_mq_getsetattr = 282, NR_kexec_load = 283, NR_waitid = 284, NR_add_key = 286, NR_request_key = 287, NR_keyctl =
  288, NR_ioprio_set = 289, NR_ioprio_get = 290, NR_inotify_init = 291, NR_inotify_add_watch = 292,
  NR_inotify_rm_watch = 293, NR_migrate_pages = 294, NR_openat = 295, NR_mkdirat = 296, NR_mknodat = 297, NR_fchownat
  = 298, NR_futimesat = 299, NR_fstatat64 = 300, NR_unlinkat = 301, NR_renameat = 302, NR_linkat = 303, NR_symlinkat =
  304, NR_readlinkat = 305, NR_fchmodat = 306, NR_faccessat = 307, NR_pselect6 = 308, NR_ppoll = 309, NR_unshare =
  310, NR_set_robust_list = 311, NR_get_robust_list = 312, NR_splice = 313, NR_sync_file_range = 314, NR_tee = 315,
  NR_vmsplice = 316, NR_move_pages = 317, NR_getcpu = 318, NR_epoll_pwait = 319, NR_utimensat = 320, NR_signalfd =
  321, NR_timerfd_create = 322, NR_eventfd = 323, NR_fallocate = 324, NR_timerfd_settime = 325, NR_timerfd_gettime =
  326, NR_signalfd4 = 327, NR_eventfd2 = 328, NR_epoll_create1 = 329, NR_dup3 = 330, NR_pipe2 = 331, NR_inotify_init1
  = 332, NR_preadv = 333, NR_pwritev = 334, NR_rt_tgsigqueueinfo = 335, NR_perf_event_open = 336, NR_recvmmsg = 337,
  NR_fanotify_init = 338, NR_fanotify_mark = 339, NR_prlimit64 = 340, NR_name_to_handle_at = 341, NR_open_by_handle_at
  = 342, NR_clock_adjtime = 343, NR_syncfs = 344, NR_sendmmsg = 345, NR_setns = 346, NR_process_vm_readv = 347,
  NR_process_vm_writev = 348, NR_kcmp = 349, NR_finit_module = 350, NR_sched_setattr = 351, NR_sched_getattr = 352,
  NR_renameat2 = 353, NR_seccomp = 354, NR_getrandom = 355, NR_memfd_create = 356, NR_bpf = 357, NR_execveat = 358,
  NR_socket = 359, NR_socketpair = 360, NR_bind = 361, NR_connect = 362, NR_listen = 363, NR_accept4 = 364,
  NR_getsockopt = 365, NR_setsockopt = 366, NR_getsockname = 367, NR_getpeername = 368, NR_sendto = 369, NR_sendmsg =
  370, NR_recvfrom = 371, NR_recvmsg = 372, NR_shutdown = 373, NR_userfaultfd = 374, NR_membarrier = 375, NR_mlock2 =
  376, NR_copy_file_range = 377, NR_preadv2 = 378, NR_pwritev2 = 379, NR_pkey_mprotect = 380, NR_pkey_alloc = 381,
  NR_pkey_free = 382, NR_statx = 383, NR_arch_prctl = 384, NR_io_pgetevents = 385, NR_rseq = 386, NR_semget = 393,
  NR_semctl = 394, NR_shmget = 395, NR_shmctl = 396, NR_shmat = 397, NR_shmdt = 398, NR_msgget = 399, NR_msgsnd = 400,
  NR_msgrcv = 401, NR_msgctl = 402, NR_clock_gettime64 = 403, NR_clock_settime64 = 404, NR_clock_adjtime64 = 405,
  NR_clock_getres_time64 = 406, NR_clock_nanosleep_time64 = 407, NR_timer_gettime64 = 408, NR_timer_settime64 = 409,
  NR_timerfd_gettime64 = 410, NR_timerfd_settime64 = 411, NR_utimensat_time64 = 412, NR_pselect6_time64 = 413,
  NR_ppoll_time64 = 414, NR_io_pgetevents_time64 = 416, NR_recvmmsg_time64 = 417, NR_mq_timedsend_time64 = 418,
  NR_mq_timedreceive_time64 = 419, NR_semtimedop_time64 = 420, NR_rt_sigtimedwait_time64 = 421, NR_futex_time64 = 422,
  NR_sched_rr_get_interval_time64 = 423, NR_pidfd_send_signal = 424, NR_io_uring_setup = 425, NR_io_uring_enter = 426,
  NR_io_uring_register = 427, NR_open_tree = 428, NR_move_mount = 429, NR_fsopen = 430, NR_fsconfig = 431, NR_fsmount
  = 432, NR_fspick = 433, NR_pidfd_open = 434, NR_clone3 = 435, NR_close_range = 436, NR_openat2 = 437, NR_pidfd_getfd
  = 438, NR_faccessat2 = 439, NR_process_madvise = 440, NR_epoll_pwait2 = 441, NR_mount_setattr = 442, NR_quotactl_fd
  = 443, NR_landlock_create_ruleset = 444, NR_landlock_add_rule = 445, NR_landlock_restrict_self = 446,
  NR_memfd_secret = 447, NR_process_mrelease = 448, NR_futex_waitv = 449, NR_set_mempolicy_home_node = 450
};
