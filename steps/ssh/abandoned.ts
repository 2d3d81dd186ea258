/** Set by the operator: the names of machines that are gone for good, with commas between them. */
export const abandonVariable = "OSLO_CLUSTER_ABANDON";

/** The machines that this process was started without. */
export const abandoned = (): string[] => (process.env[abandonVariable] ?? "").split(",");

/** The environment in which these machines are abandoned. */
export const abandoning = (machines: readonly string[]) => ({
  [abandonVariable]: machines.join(","),
});

/** How an operator says that; a command follows. */
export const howToAbandon = (machines: readonly string[]): string =>
  `${abandonVariable}=${machines.join(",")}`;

/**
 * A condition of sh: the machine is abandoned when the command runs, not when it was written.
 * @param machine Its name, or the variable of sh that has it.
 */
export const isAbandoned = (machine: string): string =>
  `case ,\${${abandonVariable}:-}, in *,${machine},*) ;; *) false ;; esac`;
