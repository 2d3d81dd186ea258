/** What a person has to fix before an ephemeral cluster can be made or removed. Exit code 1. */
export class Refusal extends Error {
  readonly code = "REFUSED";
}
