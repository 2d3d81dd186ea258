import { duplicates, type Rule } from "../rule.ts";
import { outsideResidency } from "./residency.ts";

/** Targets that nobody could use: without a key to encrypt to, with one name twice, outside residency. */
export const backupTargets: Rule = function* ({ backup, cluster }) {
  const { targets, recipients } = backup;
  if (targets.length > 0 && recipients.length === 0) {
    yield {
      path: "backup.recipients",
      value: recipients,
      why: "the copies hold every secret of the cluster and leave the nodes encrypted only",
      fix: "write at least one public key: age-keygen -o operator.key, and what age-keygen -y operator.key prints",
    };
  }
  for (const { item, index, first } of duplicates(targets, (target) => target.name)) {
    yield {
      path: `backup.targets[${index}].name`,
      value: item.name,
      why: `another target (${first.region}) has that name`,
      fix: "give each target a name of its own",
    };
  }
  for (const [index, { region, sftp, s3 }] of targets.entries()) {
    if ((sftp === undefined) === (s3 === undefined)) {
      yield {
        path: `backup.targets[${index}]`,
        value: sftp ? "sftp and s3" : "neither sftp nor s3",
        why: "a target is one place",
        fix: sftp
          ? "make two targets of it"
          : "write sftp: {host, user, hostKey} or s3: {endpoint, bucket}",
      };
    }
    const problem = outsideResidency(cluster.residency, region);
    if (problem) yield { path: `backup.targets[${index}].region`, value: region, ...problem };
  }
};
