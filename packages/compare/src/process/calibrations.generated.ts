/** What kernels cost on the bare machine, written by `tools/kernel-costs`. */
import type { KernelCalibration } from './kernel-work.ts'

/** By the names of kernels in comparisons. */
export const calibrations: readonly KernelCalibration[] = [
  {
    "kernel": "teaching",
    "sha256": "930883c13c555e168b20ae60f64378dafea8854d5cd31be0abd2d02193c74671",
    "workloads": {
      "syscall": {
        "total": 116.00025,
        "program": 9.00025
      },
      "in": {
        "total": 4.00025,
        "program": 4.00025
      },
      "cpuid": {
        "total": 14.00025,
        "program": 14.00025
      },
      "callret": {
        "total": 16.25005,
        "program": 16.25005
      },
      "pgfault": {
        "total": 1307.00125,
        "program": 12.00125
      },
      "divzero": {
        "total": 1232.00125,
        "program": 12.00125
      },
      "ptemod": {
        "total": 408.50125,
        "program": 21.00125
      },
      "switch": {
        "total": 1398.0025,
        "program": 38.0025
      },
      "fork": {
        "total": 14840.1875,
        "program": 58.0125
      },
      "exec": {
        "total": 32165.375,
        "program": 142.025
      },
      "mmap": {
        "total": 22845.0125,
        "program": 226.0125
      },
      "random": {
        "total": 16.0000125,
        "program": 16.0000125
      },
      "integer": {
        "total": 13888.67,
        "program": 13888.67
      },
      "float": {
        "total": 4346.005,
        "program": 4346.005
      },
      "copy": {
        "total": 16402.0125,
        "program": 16402.0125
      },
      "files": {
        "total": 9084.0125,
        "program": 3677.0125
      },
      "pipe": {
        "total": 2553.0033333333336,
        "program": 23.0025
      }
    },
    "instructions": {
      "plain-calls": 107,
      "bytes-copied": 0.2827,
      "signals": 1113,
      "memory-calls": 387.5,
      "file-calls": 922.81,
      "switches": 465.43,
      "pages": 1365.25,
      "forks": 10799.81,
      "execs": 15768.93
    }
  },
  {
    "kernel": "teaching-pae",
    "sha256": "ad1539c6751e775cad627c23c02452bdf8e598720c073111beec5d4add67d1ac",
    "workloads": {
      "syscall": {
        "total": 116.00025,
        "program": 9.00025
      },
      "in": {
        "total": 4.00025,
        "program": 4.00025
      },
      "cpuid": {
        "total": 14.00025,
        "program": 14.00025
      },
      "callret": {
        "total": 16.25005,
        "program": 16.25005
      },
      "pgfault": {
        "total": 1307.00125,
        "program": 12.00125
      },
      "divzero": {
        "total": 1232.00125,
        "program": 12.00125
      },
      "ptemod": {
        "total": 427.50125,
        "program": 21.00125
      },
      "switch": {
        "total": 1398.0025,
        "program": 38.0025
      },
      "fork": {
        "total": 24164.225,
        "program": 58.0125
      },
      "exec": {
        "total": 50761.45,
        "program": 142.025
      },
      "mmap": {
        "total": 23132.0125,
        "program": 226.0125
      },
      "random": {
        "total": 16.0000125,
        "program": 16.0000125
      },
      "integer": {
        "total": 13888.67,
        "program": 13888.67
      },
      "float": {
        "total": 4346.005,
        "program": 4346.005
      },
      "copy": {
        "total": 16402.016666666666,
        "program": 16402.0125
      },
      "files": {
        "total": 9084.0125,
        "program": 3677.0125
      },
      "pipe": {
        "total": 2553.0025,
        "program": 23.0025
      }
    },
    "instructions": {
      "plain-calls": 107,
      "bytes-copied": 0.2827,
      "signals": 1113,
      "memory-calls": 406.5,
      "file-calls": 922.81,
      "switches": 465.43,
      "pages": 1380.81,
      "forks": 20092.73,
      "execs": 25025.4
    }
  },
  {
    "kernel": "debian",
    "sha256": "c77cd9c37609b8b1b1cdfbb91b644a44d606d3d75da8656a0c79635be0b89c21",
    "workloads": {
      "syscall": {
        "total": 353.00025,
        "program": 9.00025
      },
      "in": {
        "total": 4.00025,
        "program": 4.00025
      },
      "cpuid": {
        "total": 14.00025,
        "program": 14.00025
      },
      "callret": {
        "total": 16.25005,
        "program": 16.25005
      },
      "pgfault": {
        "total": 4633.24,
        "program": 12.00125
      },
      "divzero": {
        "total": 4349.95125,
        "program": 12.00125
      },
      "ptemod": {
        "total": 2524.001,
        "program": 21.00125
      },
      "switch": {
        "total": 12950.4025,
        "program": 38.0025
      },
      "fork": {
        "total": 81839.63,
        "program": 58.0125
      },
      "exec": {
        "total": 192289.46666666667,
        "program": 142.025
      },
      "mmap": {
        "total": 90942.29,
        "program": 226.0125
      },
      "random": {
        "total": 16.0000125,
        "program": 16.0000125
      },
      "integer": {
        "total": 13888.67,
        "program": 13888.67
      },
      "float": {
        "total": 4346.005,
        "program": 4346.005
      },
      "copy": {
        "total": 16549.675,
        "program": 16402.0125
      },
      "files": {
        "total": 30285.76,
        "program": 3677.0125
      },
      "pipe": {
        "total": 4995.668,
        "program": 23.0025
      }
    },
    "instructions": {
      "plain-calls": 344,
      "bytes-copied": 0.523,
      "signals": 3993.95,
      "memory-calls": 2503,
      "file-calls": 4969.93,
      "switches": 5767.15,
      "pages": 5356.89,
      "forks": 58501.54,
      "execs": 104664.93
    },
    "container": {
      "workloads": {
        "syscall": 353.00025,
        "in": 4.00025,
        "cpuid": 14.00025,
        "callret": 16.25005,
        "pgfault": 4991.738,
        "divzero": 4834.735,
        "ptemod": 2564.867,
        "switch": 14927.232,
        "fork": 102415.125,
        "exec": 215948.96,
        "mmap": 98809.98,
        "random": 16.0000125,
        "integer": 13888.67,
        "float": 4346.004,
        "copy": 16402.01,
        "files": 73319.5375,
        "pipe": 4964.003333333333
      },
      "instructions": {
        "signals": 484.78,
        "memory-calls": 40.87,
        "file-calls": 8606.76,
        "switches": 988.41,
        "pages": 486.62,
        "forks": 17625.43
      },
      "start": 6003556
    }
  }
]
