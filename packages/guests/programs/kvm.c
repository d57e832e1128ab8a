/* The smallest hypervisor: a guest of twelve bytes in real mode, run by Linux's /dev/kvm, whose exits are printed. It
   adds two and two, and says so on a port. (Linux's Documentation/virt/kvm/api.rst has the calls.) */
#include "lib/program.h"

enum {
  KVM_GET_API_VERSION = 0xae00,
  KVM_CREATE_VM = 0xae01,
  KVM_GET_VCPU_MMAP_SIZE = 0xae04,
  KVM_CREATE_VCPU = 0xae41,
  KVM_SET_USER_MEMORY_REGION = 0x4020ae46,
  KVM_SET_TSS_ADDR = 0xae47,
  KVM_RUN = 0xae80,
  KVM_SET_REGS = 0x4090ae82,
};
#define KVM_GET_SREGS 0x8138ae83u
#define KVM_SET_SREGS 0x4138ae84u
enum { EXIT_IO = 2, EXIT_HLT = 5 };
enum { MAP_SHARED = 1 };

struct memory_region {
  u32 slot, flags;
  uint64_t address, bytes, at;
};
struct registers {
  uint64_t ax, bx, cx, dx, si, di, sp, bp, r8_to_r15[8], ip, flags;
};
/* Each begins with CS: base, limit, selector; the rest is as the kernel gives it. */
struct system_registers {
  uint64_t base;
  u32 limit;
  uint16_t selector;
  u8 rest[298];
};
/* The beginning of struct kvm_run; what an exit tells is at byte 32. */
struct run {
  u8 requests[8];
  u32 exit_reason;
  u8 state[20];
  u8 direction, size;
  uint16_t port;
  u32 count;
  uint64_t data_offset;
};

static const u8 code[] = {
    0xba, 0xf8, 0x03, /* mov dx,3f8h */
    0x00, 0xd8,       /* add al,bl */
    0x04, '0',        /* add al,'0' */
    0xee,             /* out dx,al */
    0xb0, '\n',       /* mov al,'\n' */
    0xee,             /* out dx,al */
    0xf4,             /* hlt */
};

static i32 call(i32 file, u32 request, const void *argument, const char *name) {
  i32 result = call3(54, file, request, (u32)argument);
  check(result, name);
  return result;
}

int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  i32 kvm = open("/dev/kvm", O_RDWR, 0);
  check(kvm, "open of /dev/kvm");
  if (call(kvm, KVM_GET_API_VERSION, 0, "KVM_GET_API_VERSION") != 12) fail("this KVM is another");
  i32 vm = call(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
  call(vm, KVM_SET_TSS_ADDR, (void *)0xfffbd000, "KVM_SET_TSS_ADDR");

  i32 memory = map_memory(PAGE, PROT_READ | PROT_WRITE);
  check(memory, "mmap2");
  for (u32 i = 0; i < sizeof code; i++) ((u8 *)memory)[i] = code[i];
  struct memory_region region = {.address = PAGE, .bytes = PAGE, .at = (u32)memory};
  call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");

  i32 cpu = call(vm, KVM_CREATE_VCPU, 0, "KVM_CREATE_VCPU");
  u32 bytes = call(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
  i32 shared = call6(192, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
  check(shared, "mmap2 of the virtual CPU");
  volatile struct run *run = (struct run *)shared;

  struct system_registers system;
  call(cpu, KVM_GET_SREGS, &system, "KVM_GET_SREGS");
  system.base = 0;
  system.selector = 0;
  call(cpu, KVM_SET_SREGS, &system, "KVM_SET_SREGS");
  struct registers registers = {.ax = 2, .bx = 2, .ip = PAGE, .flags = 2};
  call(cpu, KVM_SET_REGS, &registers, "KVM_SET_REGS");

  for (;;) {
    call(cpu, KVM_RUN, 0, "KVM_RUN");
    if (run->exit_reason == EXIT_HLT) break;
    if (run->exit_reason != EXIT_IO || run->port != 0x3f8) fail("the guest leaves by something else");
    write(1, (const void *)(shared + (u32)run->data_offset), 1);
  }
  static const char halted[] = "the guest has halted\n";
  write(1, halted, sizeof halted - 1);
  return 0;
}
