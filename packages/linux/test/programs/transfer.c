// Moves bytes by TCP, and tells their SHA-256 at both ends.
// Usage: transfer receive PORT | transfer send ADDRESS PORT KIBIBYTES
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// FIPS 180-4.
static uint32_t k[64], h[8];
static uint8_t block[64];
static uint64_t total;
static uint32_t fraction(double root) { return (root - (uint32_t)root) * 4294967296.0; }
static double root_of(int number, int power) {
  double x = number;
  for (int n = 0; n < 60; n++) x = power == 2 ? (x + number / x) / 2 : (2 * x + number / (x * x)) / 3;
  return x;
}
static void begin(void) {
  for (int number = 2, n = 0; n < 64; number++) {
    int is_prime = 1;
    for (int divisor = 2; divisor * divisor <= number; divisor++) is_prime &= number % divisor != 0;
    if (!is_prime) continue;
    if (n < 8) h[n] = fraction(root_of(number, 2));
    k[n++] = fraction(root_of(number, 3));
  }
}
#define R(x, n) ((x) >> (n) | (x) << (32 - (n)))
static void compress(void) {
  uint32_t w[64], v[8];
  for (int n = 0; n < 16; n++) w[n] = block[4 * n] << 24 | block[4 * n + 1] << 16 | block[4 * n + 2] << 8 | block[4 * n + 3];
  for (int n = 16; n < 64; n++)
    w[n] = w[n - 16] + w[n - 7] + (R(w[n - 15], 7) ^ R(w[n - 15], 18) ^ w[n - 15] >> 3) +
           (R(w[n - 2], 17) ^ R(w[n - 2], 19) ^ w[n - 2] >> 10);
  memcpy(v, h, sizeof v);
  for (int n = 0; n < 64; n++) {
    uint32_t one = v[7] + (R(v[4], 6) ^ R(v[4], 11) ^ R(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[n] + w[n];
    uint32_t two = (R(v[0], 2) ^ R(v[0], 13) ^ R(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 28);
    v[4] += one;
    v[0] = one + two;
  }
  for (int n = 0; n < 8; n++) h[n] += v[n];
}
static void add(const uint8_t *bytes, int size) {
  for (int n = 0; n < size; n++) {
    block[total++ % 64] = bytes[n];
    if (total % 64 == 0) compress();
  }
}
static void tell(const char *what) {
  uint64_t bits = total * 8, size = total;
  uint8_t end = 0x80, zero = 0, length[8];
  for (int n = 0; n < 8; n++) length[n] = bits >> (56 - 8 * n);
  add(&end, 1);
  while (total % 64 != 56) add(&zero, 1);
  add(length, 8);
  printf("%s %llu ", what, (unsigned long long)size);
  for (int n = 0; n < 8; n++) printf("%08x", h[n]);
  puts("");
}

static uint8_t buffer[100000];
static uint32_t state = 1;
static uint32_t random_word(void) {
  state ^= state << 13, state ^= state >> 17, state ^= state << 5;
  return state;
}

int main(int count, char **args) {
  begin();
  struct sockaddr_in address = {.sin_family = AF_INET};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (strcmp(args[1], "receive") == 0) {
    address.sin_port = htons(atoi(args[2]));
    if (bind(fd, (void *)&address, sizeof address) < 0 || listen(fd, 1) < 0) return perror("listen"), 1;
    int connection = accept(fd, 0, 0), got;
    while ((got = read(connection, buffer, 1 + random_word() % sizeof buffer)) > 0) add(buffer, got);
    if (got < 0) return perror("read"), 1;
    tell("received");
    return 0;
  }
  address.sin_port = htons(atoi(args[3]));
  inet_pton(AF_INET, args[2], &address.sin_addr);
  if (connect(fd, (void *)&address, sizeof address) < 0) return perror("connect"), 1;
  for (uint64_t left = 1024ull * atoi(args[4]); left > 0;) {
    uint32_t size = 1 + random_word() % sizeof buffer;
    if (size > left) size = left;
    for (uint32_t n = 0; n < size; n += 4) *(uint32_t *)(buffer + n) = random_word();
    for (uint32_t done = 0; done < size;) {
      int put = write(fd, buffer + done, size - done);
      if (put < 0) return perror("write"), 1;
      done += put;
    }
    add(buffer, size);
    left -= size;
  }
  shutdown(fd, SHUT_WR);
  read(fd, buffer, 1); // until the other end has read all
  struct tcp_info info;
  socklen_t length = sizeof info;
  getsockopt(fd, SOL_TCP, TCP_INFO, &info, &length);
  tell("sent");
  printf("again %u\n", info.tcpi_total_retrans);
  return 0;
}
