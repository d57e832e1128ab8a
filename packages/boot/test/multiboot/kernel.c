/* Prints to port 0xe9 what its loader tells it; `make` beside it builds it. Written from the Multiboot Specification 0.6.96. */
typedef unsigned int u32;
typedef unsigned char u8;
static volatile u32 zero[2048];
static volatile u32 initialised = 0x600df00d;

static void put(char c) { __asm__ volatile("outb %%al, $0xe9" : : "a"(c)); }
static void text(const char *s) { while (*s) put(*s++); }
static void number(u32 value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}
static void line(const char *name, u32 value) { text(name); put(' '); number(value); put('\n'); }

void kernel(u32 magic, const u32 *info) {
  u32 flags;
  line("magic", magic);
  line("flags", info[0]);
  line("lower", info[1]);
  line("upper", info[2]);
  __asm__ volatile("pushf; pop %0" : "=r"(flags));
  line("eflags", flags & 0x20200);
  u32 bits = 0;
  for (u32 i = 0; i < 2048; i++) bits |= zero[i];
  line("bss", bits);
  line("data", initialised);
  text((const char *)info[4]);
  put('\n');
  const u32 *module = (const u32 *)info[6];
  for (u32 i = 0; info[0] & 8 && i < info[5]; i++, module += 4) {
    text((const char *)module[2]);
    line(" at page offset", module[0] & 0xfff);
    for (u32 at = module[0]; at < module[1]; at++) put(*(const u8 *)at);
    put('\n');
  }
  for (u32 at = info[12]; at < info[12] + info[11]; at += *(const u32 *)at + 4) {
    const u32 *entry = (const u32 *)at;
    line("map", entry[1]);
    line("  bytes", entry[3]);
    line("  kind", entry[5]);
  }
  if (info[0] & 0x20) {
    /* The name of section 1, through the table of names. */
    const u8 *headers = (const u8 *)info[9];
    const u32 *names = (const u32 *)(headers + info[8] * info[10]);
    const u32 *first = (const u32 *)(headers + info[8]);
    text((const char *)names[3] + first[0]);
    line(" at", first[3]);
  }
  text((const char *)info[16]);
  put('\n');
  if (info[0] & 0x1000) {
    line("screen", info[22]);
    line("  columns", info[25]);
    line("  type", info[27] >> 8 & 0xff);
  }
}
