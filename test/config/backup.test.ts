import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { calendar, knownHosts, rcloneConfiguration } from "../../plan/backup.ts";
import { hostKey } from "../host-key.ts";
import { stack } from "../stack.ts";
import { refuses, takes } from "./refuses.ts";

const recipient = "age13arftdf9ejnqsygnzlpdevqgzwf2ky55ga69t7e4sxftfka4qadsxtqgax";
const sftp = { host: "vault.example.no", user: "copies", hostKey: hostKey("vault") };
const s3 = { endpoint: "https://s3.example.no", bucket: "oslo-copies" };
const vault = { name: "vault", region: "NO-OSL-2", sftp };
const bucket = { name: "bucket", region: "NO-SVG-1", s3 };
const targets = "backup.targets";
const recipients = { "backup.recipients": [recipient] };

describe("targets", () => {
  refuses([
    {
      name: "a target without anybody who could decrypt",
      changes: { [targets]: [vault] },
      at: ["backup.recipients"],
      says: "leave the nodes encrypted only; write at least one public key",
    },
    {
      name: "two of one name",
      changes: { [targets]: [vault, { ...bucket, name: "vault" }], ...recipients },
      at: ["backup.targets[1].name"],
      says: "another target (NO-OSL-2) has that name",
    },
    {
      name: "one outside residency",
      changes: { [targets]: [{ ...vault, region: "SE-STO-1" }], ...recipients },
      at: ["backup.targets[0].region"],
      says: "SE is outside cluster.residency (NO); choose a region in Norway, or residency: EEA",
    },
    {
      name: "one of neither kind",
      changes: { [targets]: [{ ...vault, sftp: undefined }], ...recipients },
      at: ["backup.targets[0]"],
      says: "a target is one place; write sftp: {host, user, hostKey} or s3: {endpoint, bucket}",
    },
    {
      name: "one of both kinds",
      changes: { [targets]: [{ ...vault, s3 }], ...recipients },
      at: ["backup.targets[0]"],
      says: "make two targets of it",
    },
    {
      name: "a directory that leaves the account",
      changes: {
        [targets]: [{ ...vault, sftp: { ...sftp, directory: "../other" } }],
        ...recipients,
      },
      at: ["backup.targets[0].sftp.directory"],
      says: "without ..",
    },
    {
      name: "a server whose key is not pinned",
      changes: { [targets]: [{ ...vault, sftp: { ...sftp, hostKey: undefined } }], ...recipients },
      at: ["backup.targets[0].sftp.hostKey"],
      says: "",
    },
    {
      name: "a secret in the stack's file",
      changes: { [targets]: [{ ...bucket, s3: { ...s3, secretAccessKey: "x" } }], ...recipients },
      at: ["backup.targets[0].s3.secretAccessKey"],
      says: "",
    },
  ]);
  takes([
    { name: "both kinds", changes: { [targets]: [vault, bucket], ...recipients } },
    {
      name: "the EEA where that is the residency",
      changes: {
        "cluster.residency": "EEA",
        [targets]: [{ ...vault, region: "SE" }],
        ...recipients,
      },
    },
    { name: "recipients without a target", changes: recipients },
  ]);
});

describe("recipients", () => {
  refuses([
    {
      name: "a private key",
      changes: { "backup.recipients[0]": "AGE-SECRET-KEY-1QQQQ" },
      says: "a private key; write the public one",
    },
    {
      name: "a recipient with a wrong letter",
      changes: { "backup.recipients[0]": recipient.replace("age13", "age14") },
      says: "not a public key of age",
    },
  ]);
  takes([
    {
      name: "a public SSH key with its comment",
      changes: { "backup.recipients[0]": `ssh-ed25519 ${"A".repeat(68)} me@example.no` },
    },
  ]);
});

describe("times", () => {
  refuses([
    {
      name: "an interval that no day is made of",
      changes: { "backup.everyMinutes": 45 },
      says: "write one of 1, 2, 3",
    },
    { name: "less than a minute", changes: { "backup.everyMinutes": 0 }, says: "write one of" },
    {
      name: "a negative count",
      changes: { "backup.retention.daily": -1 },
      says: "write 0 or more",
    },
  ]);

  it.each([
    [60, 0, 1, "*-*-* 00/1:00:00 UTC"],
    [60, 1, 3, "*-*-* 00/1:20:00 UTC"],
    [1, 2, 3, "*-*-* *:00/1:40 UTC"],
    [15, 1, 2, "*-*-* *:07/15:30 UTC"],
    [360, 2, 3, "*-*-* 04/6:00:00 UTC"],
    [1440, 1, 3, "*-*-* 08:00:00 UTC"],
  ])("every %s minutes, control plane %s of %s: %s", (every, index, count, expected) => {
    expect(calendar(every, index, count)).toBe(expected);
  });
});

it("rclone gets the pinned host and no credential", () => {
  const { backup } = loadConfig(
    stack({ [targets]: [{ ...vault, sftp: { ...sftp, port: 2222 } }, bucket], ...recipients }),
    "test.yaml",
  );
  const text = rcloneConfiguration(
    backup.targets,
    ({ s3: bucket }): Record<string, string> => (bucket ? {} : { key_file: "/k" }),
  );
  expect(text).toBe(`[vault]
type = sftp
host = vault.example.no
port = 2222
user = copies
shell_type = none
md5sum_command = none
sha1sum_command = none
set_modtime = false
key_file = /k

[bucket]
type = s3
provider = Other
endpoint = https://s3.example.no
region = us-east-1
env_auth = true
`);
  expect(knownHosts(backup.targets)).toBe(`[vault.example.no]:2222 ${hostKey("vault")}`);
});
