/*
 * Loads the two BPF programs that make a veth pair a VLAN device, and pins them for tc:
 *
 *   DIRECTORY/receive  for frames that come in on the uplink: takes those with the tag, removes it,
 *                      and hands them to the inner end of the pair
 *   DIRECTORY/send     for frames that come in on the inner end: adds the tag and sends them out on
 *                      the uplink
 *
 * usage: vlan-programs DIRECTORY VLAN UPLINK_INDEX INNER_INDEX
 *   DIRECTORY  on a bpf file system
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(CODE, DST, SRC, OFF, IMM) \
  ((struct bpf_insn){.code = (CODE), .dst_reg = (DST), .src_reg = (SRC), .off = (OFF), .imm = (IMM)})
#define SET(DST, IMM) INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, IMM)
#define FIELD(DST, SRC, NAME) \
  INSN(BPF_LDX | BPF_MEM | BPF_W, DST, SRC, offsetof(struct __sk_buff, NAME), 0)
#define AND(DST, IMM) INSN(BPF_ALU64 | BPF_AND | BPF_K, DST, 0, 0, IMM)
#define IF_EQUAL(DST, IMM, SKIP) INSN(BPF_JMP | BPF_JEQ | BPF_K, DST, 0, SKIP, IMM)
#define IF_OTHER(DST, IMM, SKIP) INSN(BPF_JMP | BPF_JNE | BPF_K, DST, 0, SKIP, IMM)
#define CALL(FUNCTION) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##FUNCTION)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static const int next_classifier = -1; /* TC_ACT_UNSPEC */

static long bpf(int command, union bpf_attr *attr) {
  return syscall(SYS_bpf, command, attr, sizeof *attr);
}

static void load(const char *directory, const char *name, const struct bpf_insn *insns, size_t count) {
  static char log[65536];
  char path[4096];
  union bpf_attr program, pin;

  memset(&program, 0, sizeof program);
  program.prog_type = BPF_PROG_TYPE_SCHED_CLS;
  program.insns = (__u64)(unsigned long)insns;
  program.insn_cnt = (__u32)count;
  program.license = (__u64)(unsigned long)"GPL";
  program.log_buf = (__u64)(unsigned long)log;
  program.log_size = sizeof log;
  program.log_level = 1;
  long descriptor = bpf(BPF_PROG_LOAD, &program);
  if (descriptor < 0) {
    fprintf(stderr, "%s: %m\n%s", name, log);
    exit(1);
  }

  snprintf(path, sizeof path, "%s/%s", directory, name);
  memset(&pin, 0, sizeof pin);
  pin.pathname = (__u64)(unsigned long)path;
  pin.bpf_fd = (__u32)descriptor;
  if (bpf(BPF_OBJ_PIN, &pin) < 0) {
    perror(path);
    exit(1);
  }
}

int main(int count, char **arguments) {
  if (count != 5) {
    fprintf(stderr, "usage: vlan-programs DIRECTORY VLAN UPLINK_INDEX INNER_INDEX\n");
    return 2;
  }
  const char *directory = arguments[1];
  int vlan = atoi(arguments[2]), uplink = atoi(arguments[3]), inner = atoi(arguments[4]);

  const struct bpf_insn receive[] = {
      FIELD(BPF_REG_2, BPF_REG_1, vlan_present),
      IF_EQUAL(BPF_REG_2, 0, 7),
      FIELD(BPF_REG_2, BPF_REG_1, vlan_tci),
      AND(BPF_REG_2, 0xfff),
      IF_OTHER(BPF_REG_2, vlan, 4),
      CALL(skb_vlan_pop),
      SET(BPF_REG_1, inner),
      SET(BPF_REG_2, 0),
      INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0),
      SET(BPF_REG_0, next_classifier),
      EXIT,
      CALL(redirect),
      EXIT,
  };
  const struct bpf_insn send[] = {
      SET(BPF_REG_2, htons(0x8100)),
      SET(BPF_REG_3, vlan),
      CALL(skb_vlan_push),
      SET(BPF_REG_1, uplink),
      SET(BPF_REG_2, 0),
      CALL(redirect),
      EXIT,
  };
  load(directory, "receive", receive, sizeof receive / sizeof *receive);
  load(directory, "send", send, sizeof send / sizeof *send);
  return 0;
}
