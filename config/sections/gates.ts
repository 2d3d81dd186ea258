import { z } from "zod";
import { field } from "../field.ts";

const number = z.number("not a number; write one").min(0, "negative; write 0 or more");

const limit = (value: number, description: string) =>
  field(number.default(value), "none", description);

const percent = (value: number, description: string) =>
  field(number.max(100, "above 100; write percent").default(value), "none", description);

/** What a machine must show before a cluster is built on it. Each gate's reading is in the outputs. */
export const gates = z.strictObject({
  etcdFsyncP99Milliseconds: limit(
    10,
    "etcd's disk: 99th percentile of fdatasync as fio measures it, in milliseconds. Above it no cluster is built.",
  ),
  stealPercent: percent(
    0.1,
    "CPU time stolen by the hypervisor over the measured window, in percent.",
  ),
  stealWindowSeconds: field(
    z.int().min(1, "too short; write 1 or more").max(300).default(10),
    "none",
    "How long steal is measured, and softirq on virtual machines of the program, in seconds.",
  ),
  nodeRttMilliseconds: limit(
    2,
    "Mean round-trip time of ten packets between nodes, in milliseconds.",
  ),
  clockSkewSeconds: limit(30, "Difference between the nodes' clocks, in seconds."),
  diskFreePercent: percent(20, "Free space of the file system that holds /var/lib, in percent."),
  memoryMebibytes: limit(
    1700,
    "Memory of a control-plane node, in MiB (kubeadm's own minimum is 1700).",
  ),
  softirqPercent: percent(
    50,
    "Virtual machines of the program: time that one CPU may spend in softirq while another idles, in percent. Above it the network card's queues do not spread the load.",
  ),
  guestMemoryPercent: percent(
    90,
    "Virtual machines of the program: share of the memory asked for that the guest must see, in percent; the kernel keeps the rest for itself.",
  ),
  cpus: limit(2, "CPUs of a control-plane node (kubeadm's own minimum is 2)."),
});
