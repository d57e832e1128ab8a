/** Why a line of an image's output may differ from what Bochs 2.7 prints. SDM sections are of the Intel manual. */
export const REASONS: Readonly<Record<string, string>> = {
  'rf-abort':
    '#DF is an abort: RF is pushed as it is. It is pushed as 1 for faults (vol. 3B, 17.3.1.1); Bochs pushes 1 for both',
  'partial-frame':
    'the whole frame is checked before any of it is written; Bochs leaves what it had pushed. The manual promises neither',
  'stack-not-present': 'IRET to an outer stack that is not present raises #SS (vol. 2, IRET); Bochs raises #NP',
  'frame-limit':
    'RET and IRET to an outer level need all of the frame within the limit (vol. 2); Bochs reads what is there',
  'stack-wrap':
    'a 16-bit stack wraps inside one frame, and the old ESP is pushed whole; Bochs checks the frame as one block',
  'check-first':
    'nothing is written, and no register loaded, before the last check has passed; Bochs has then pushed, or loaded TR',
  'v86-limit':
    'IRET to virtual-8086 mode with EIP beyond the limit of CS raises #GP(0) (vol. 2, IRET); Bochs faults at the target',
  'maskmov-zero': 'whether MASKMOVQ with an empty mask touches its operand is left to implementations (vol. 2)',
  'far-pointer-order': 'the order in which the two parts of a far pointer are read is not fixed',
  'access-order': 'the order in which the fields of a TSS are read is not fixed',
  'partial-store':
    'an operand of several parts is checked whole before it is stored; Bochs leaves the parts before the fault',
  'pse36-reserved':
    'bits 17 to 21 of a 4 MB page are reserved where MAXPHYADDR is 36 (vol. 3A, table 4-4); Bochs has fewer',
  'wrap-4g': 'an access over the end of a segment of 4 GB may fault or wrap (vol. 3A, 5.3)',
  'fxsave-limit': 'FXSAVE and FXRSTOR use 512 bytes; Bochs checks fewer',
  'segment-slot':
    'a 32-bit push of a segment register writes 16 or 32 bits, and a pop reads 16 or 32, by processor (vol. 2, PUSH, POP); ours 32',
  'tf-task-switch':
    'a task switch with TF set in the old task: the manual does not say whether the new task is entered through #DB',
  'cpuid-leaves': 'the two are different processor models',
  'gd-rf': '#DB by DR7.GD is a fault, and pushes RF as 1 (vol. 3B, 17.3.1.1)',
  'execute-length': 'an instruction breakpoint with a length other than 1 is undefined (vol. 3B, 17.2.4)',
  'dr7-bit-11': 'bit 11 of DR7 is reserved',
  'trap-before-breakpoint':
    'a trap of the last instruction comes before a breakpoint on the next (vol. 3A, table 6-2), and is reported alone; Bochs reports both',
  'dr6-bits': 'which bits of DR6 a later exception leaves alone is not fixed (vol. 3B, 17.2.3)',
  'mov-ss-data':
    'a breakpoint on data met by MOV SS is delivered after the next instruction, also when that is INT n; Bochs drops it',
  'movups-alignment':
    'whether unaligned SSE operands raise #AC is left to implementations (vol. 3A, 6.15, #AC): with us and with recorded processors they do',
  'fnsave-alignment':
    'FNSAVE is aligned when its first operand is (vol. 3A, table 6-7); Bochs checks each register it stores',
}
