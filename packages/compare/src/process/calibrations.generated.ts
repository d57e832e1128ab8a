/** What kernels cost on the bare machine, written by `tools/kernel-costs`. */
import type { KernelCalibration } from './kernel-work.ts'

/** By the names of kernels in comparisons. */
export const calibrations: readonly KernelCalibration[] = [
  {
    "kernel": "teaching",
    "sha256": "930883c13c555e168b20ae60f64378dafea8854d5cd31be0abd2d02193c74671",
    "workloads": {
      "syscall": {
        "total": 116.001,
        "program": 9.001
      },
      "in": {
        "total": 4.001,
        "program": 4.001
      },
      "cpuid": {
        "total": 14.001,
        "program": 14.001
      },
      "callret": {
        "total": 16.2502,
        "program": 16.2502
      },
      "pgfault": {
        "total": 1307.005,
        "program": 12.005
      },
      "divzero": {
        "total": 1232.005,
        "program": 12.005
      },
      "ptemod": {
        "total": 408.505,
        "program": 21.005
      },
      "switch": {
        "total": 1398.01,
        "program": 38.01
      },
      "fork": {
        "total": 14840.75,
        "program": 58.05
      },
      "exec": {
        "total": 32166.5,
        "program": 142.1
      },
      "mmap": {
        "total": 22845.05,
        "program": 226.05
      },
      "random": {
        "total": 16.00005,
        "program": 16.00005
      },
      "integer": {
        "total": 13899.88,
        "program": 13899.88
      },
      "float": {
        "total": 4346.02,
        "program": 4346.02
      },
      "copy": {
        "total": 16402.05,
        "program": 16402.05
      },
      "files": {
        "total": 9084.05,
        "program": 3677.05
      },
      "pipe": {
        "total": 2553.01,
        "program": 23.01
      }
    },
    "instructions": {
      "plain-calls": 107,
      "bytes-copied": 0.2827,
      "signals": 1113,
      "memory-calls": 387.5,
      "file-calls": 922.8061,
      "switches": 465.4346,
      "pages": 1365.25,
      "forks": 10800.3308,
      "execs": 15769.45
    }
  },
  {
    "kernel": "teaching-pae",
    "sha256": "ad1539c6751e775cad627c23c02452bdf8e598720c073111beec5d4add67d1ac",
    "workloads": {
      "syscall": {
        "total": 116.001,
        "program": 9.001
      },
      "in": {
        "total": 4.001,
        "program": 4.001
      },
      "cpuid": {
        "total": 14.001,
        "program": 14.001
      },
      "callret": {
        "total": 16.2502,
        "program": 16.2502
      },
      "pgfault": {
        "total": 1307.005,
        "program": 12.005
      },
      "divzero": {
        "total": 1232.005,
        "program": 12.005
      },
      "ptemod": {
        "total": 427.505,
        "program": 21.005
      },
      "switch": {
        "total": 1398.01,
        "program": 38.01
      },
      "fork": {
        "total": 24164.9,
        "program": 58.05
      },
      "exec": {
        "total": 50762.8,
        "program": 142.1
      },
      "mmap": {
        "total": 23132.05,
        "program": 226.05
      },
      "random": {
        "total": 16.00005,
        "program": 16.00005
      },
      "integer": {
        "total": 13899.88,
        "program": 13899.88
      },
      "float": {
        "total": 4346.02,
        "program": 4346.02
      },
      "copy": {
        "total": 16402.05,
        "program": 16402.05
      },
      "files": {
        "total": 9084.05,
        "program": 3677.05
      },
      "pipe": {
        "total": 2553.01,
        "program": 23.01
      }
    },
    "instructions": {
      "plain-calls": 107,
      "bytes-copied": 0.2827,
      "signals": 1113,
      "memory-calls": 406.5,
      "file-calls": 922.8061,
      "switches": 465.4346,
      "pages": 1380.8125,
      "forks": 20093.3558,
      "execs": 25026.0375
    }
  },
  {
    "kernel": "debian",
    "sha256": "c77cd9c37609b8b1b1cdfbb91b644a44d606d3d75da8656a0c79635be0b89c21",
    "workloads": {
      "syscall": {
        "total": 352.997,
        "program": 9.001
      },
      "in": {
        "total": 4.001,
        "program": 4.001
      },
      "cpuid": {
        "total": 14.001,
        "program": 14.001
      },
      "callret": {
        "total": 16.2502,
        "program": 16.2502
      },
      "pgfault": {
        "total": 4578.515,
        "program": 12.005
      },
      "divzero": {
        "total": 4304.45,
        "program": 12.005
      },
      "ptemod": {
        "total": 2610.77,
        "program": 21.005
      },
      "switch": {
        "total": 14629.62,
        "program": 38.01
      },
      "fork": {
        "total": 81374.4,
        "program": 58.05
      },
      "exec": {
        "total": 184375.9,
        "program": 142.1
      },
      "mmap": {
        "total": 106031.05,
        "program": 226.05
      },
      "random": {
        "total": 16.00005,
        "program": 16.00005
      },
      "integer": {
        "total": 13899.88,
        "program": 13899.88
      },
      "float": {
        "total": 4346.02,
        "program": 4346.02
      },
      "copy": {
        "total": 16402.05,
        "program": 16402.05
      },
      "files": {
        "total": 41554.2,
        "program": 3677.05
      },
      "pipe": {
        "total": 4964.01,
        "program": 23.01
      }
    },
    "instructions": {
      "plain-calls": 343.996,
      "bytes-copied": 0.5192,
      "signals": 3948.449,
      "memory-calls": 2589.765,
      "file-calls": 7225.1673,
      "switches": 6606.7746,
      "pages": 6289.0919,
      "forks": 54492.629,
      "execs": 96284.3621
    }
  }
]
