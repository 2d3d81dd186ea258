import { z } from "zod";
import { isAgeRecipient } from "../age.ts";
import { field } from "../field.ts";
import { hostKey, hostname, port, url, user } from "../formats.ts";

/** A public key that age encrypts to. */
const recipient = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (/^AGE-SECRET-KEY-|PRIVATE KEY/i.test(text)) {
      refuse("a private key; write the public one (age-keygen -y FILE), and make a new pair");
    } else if (!isAgeRecipient(text)) {
      refuse("not a public key of age; write age1… (age-keygen -y FILE) or an ssh-ed25519 key");
    }
  })
  .transform((text) => (text.startsWith("ssh-") ? text.split(" ").slice(0, 2).join(" ") : text));

const path = z
  .string()
  .regex(
    /^(?!.*(^|\/)\.\.(\/|$))[A-Za-z0-9._/-]*$/,
    "not a plain path; use letters, digits, . _ - and /, without ..",
  )
  .transform((text) => text.replace(/\/+$/, ""));

const sftp = z.strictObject({
  host: field(hostname, "restart", "Name or address of the server."),
  port: field(port.default(22), "restart", "Its TCP port."),
  user: field(user, "restart", "The account; each node logs in with a key that it made."),
  hostKey: field(hostKey, "restart", "The server's public host key, pinned."),
  directory: field(
    path.default("oslo-cluster"),
    "restart",
    "Directory of the copies, from the account's own unless it begins with /.",
  ),
});

const s3 = z.strictObject({
  endpoint: field(url, "restart", "Address of the service."),
  bucket: field(
    z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        "not a bucket's name; write 3 to 63 of a-z 0-9 . -",
      ),
    "restart",
    "The bucket, which exists.",
  ),
  prefix: field(path.default("oslo-cluster"), "restart", "What the copies' names begin with."),
  location: field(
    z
      .string()
      .regex(/^[a-z0-9-]+$/, "not an S3 region; write one such as eu-north-1")
      .default("us-east-1"),
    "restart",
    "The region that requests are signed for.",
  ),
});

const target = z.strictObject({
  name: field(
    z
      .string()
      .regex(/^[a-z][a-z0-9]{0,30}$/, "not a target's name; use lower-case letters and digits"),
    "restart",
    "The target's name, in commands and reports; unique.",
  ),
  region: field(
    z.string().regex(/^[A-Z]{2}(-[A-Z0-9-]+)?$/, "not a region; write COUNTRY or COUNTRY-CITY"),
    "none",
    "Where the copies are kept, `NO-OSL-2`: it must be within cluster.residency.",
  ),
  mayDelete: field(
    z.boolean().default(true),
    "restart",
    "Whether the nodes apply backup.retention there. False where their credential may only add: then the target's own rules delete.",
  ),
  mayRead: field(
    z.boolean().default(true),
    "restart",
    "Whether the nodes read each new copy back and compare it, and fetch the rehearsal's report. False where their credential may not read: lost content is then found by the rehearsal alone.",
  ),
  sftp: sftp.optional(),
  s3: s3.optional(),
});

const count = (value: number, description: string) =>
  field(
    z.int().min(0, "negative; write 0 or more").max(1000).default(value),
    "restart",
    description,
  );

/** Every so many minutes that a day has a whole number of, so that a calendar can say it. */
const intervals = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440];

/** Copies of the cluster's state away from its nodes. On as soon as a target is named. */
export const backup = z.strictObject({
  targets: field(
    z.array(target).default([]),
    "restart",
    "Where the copies go, each by `sftp` or `s3`. Default: none, and nothing is backed up. With the last one removed the timers stop; copies stay.",
  ),
  recipients: field(
    z.array(recipient).default([]),
    "restart",
    "Public keys (age, or ssh-ed25519) that the copies are encrypted to, on the nodes, which hold no key that decrypts. At least one where a target is named; one of the operator and one of the rehearsal's runner are advised.",
  ),
  everyMinutes: field(
    z
      .int()
      .refine(
        (value) => intervals.includes(value),
        `not a part of an hour or a day; write one of ${intervals.join(", ")}`,
      )
      .default(60),
    "restart",
    "How often each control plane makes a copy, in minutes; with several they take turns evenly.",
  ),
  retention: z
    .strictObject({
      recent: count(24, "How many of the newest copies of each control plane are kept."),
      daily: count(7, "And for how many days the newest of the day."),
      weekly: count(4, "And for how many weeks the newest of the week."),
    })
    .prefault({}),
  metricsFile: field(
    z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]+\.prom$/, "not an absolute path of a .prom file; write one")
      .default("/var/lib/oslo-cluster/backup/metrics.prom"),
    "restart",
    "On each control plane: age, size and last success for node_exporter's textfile collector.",
  ),
  rehearsal: z
    .strictObject({
      signers: field(
        z.array(hostKey).default([]),
        "none",
        "Public SSH keys whose signed reports of rehearsals count. Default: none, and no backup counts as proved.",
      ),
      maxAgeHours: field(
        z.int().min(1, "too short; write 1 or more").max(8784).default(168),
        "none",
        "How old the newest report may be, in hours.",
      ),
    })
    .prefault({}),
});
