import type { Command } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;

/** What may be written at one place: after `oslo-cluster`, `oslo-cluster check` and so on. */
interface Place {
  /** The words so far, without the program's name. */
  words: string;
  commands: Command[];
  options: { flag: string; says: string }[];
  /** What an argument may be, where that is known. */
  choices: readonly string[];
  takesStack: boolean;
}

/** @param program With all its commands. */
export function completionScript(shell: (typeof shells)[number], program: Command): string {
  const places = placesOf(program, []);
  const name = program.name();
  if (shell === "bash") return bash(name, places);
  return shell === "zsh" ? zsh(name, places) : fish(name, places);
}

function placesOf(command: Command, words: readonly string[]): Place[] {
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const here: Place = {
    words: words.join(" "),
    commands: [...command.commands],
    options: command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long ? [{ flag: long, says: description }] : [])),
    choices,
    takesStack: command.registeredArguments.some((argument) => /^stacks?$/.test(argument.name())),
  };
  return [here, ...command.commands.flatMap((child) => placesOf(child, [...words, child.name()]))];
}

function wordsAt({ commands, options, choices }: Place): string[] {
  return [...commands.map((one) => one.name()), ...choices, ...options.map(({ flag }) => flag)];
}

/** Bash and zsh: the place by the words before, of which the longest that is known counts. */
function cases(places: readonly Place[]): string {
  return [...places]
    .sort((a, b) => b.words.length - a.words.length)
    .map((place) => {
      const stacks = place.takesStack ? " $(_oslo_cluster_stacks)" : "";
      const pattern = place.words === "" ? "*" : `"${place.words}"|"${place.words} "*`;
      return `    ${pattern}) candidates="${wordsAt(place).join(" ")}${stacks}" ;;`;
    })
    .join("\n");
}

const stacksFunction = `_oslo_cluster_stacks() {
  local file
  for file in Pulumi.*.yaml; do
    file=\${file#Pulumi.}
    [ "$file" = "*.yaml" ] || printf '%s ' "\${file%.yaml}"
  done
}
`;

function bash(name: string, places: readonly Place[]): string {
  return `# bash completion for ${name}
${stacksFunction}
_oslo_cluster() {
  local current=\${COMP_WORDS[COMP_CWORD]} candidates
  local words="\${COMP_WORDS[*]:1:COMP_CWORD-1}"
  case "$words" in
${cases(places)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
}
complete -o bashdefault -o default -F _oslo_cluster ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  return `#compdef ${name}
# zsh completion for ${name}
${stacksFunction}
_oslo_cluster() {
  setopt local_options null_glob
  local candidates
  local before="\${words[2,CURRENT-1]}"
  case "$before" in
${cases(places)}
  esac
  compadd -- \${=candidates}
  _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _oslo_cluster ${name}
`;
}

function fish(name: string, places: readonly Place[]): string {
  const quote = (text: string) => `'${text.replace(/[\\']/g, "\\$&").replace(/\s+/g, " ")}'`;
  const lines = places.flatMap((place) => {
    const when = `-n '__oslo_cluster_at ${place.words}'`;
    return [
      ...place.commands.map((one) => `${when} -f -a ${one.name()} -d ${quote(one.summary())}`),
      ...place.choices.map((choice) => `${when} -f -a ${choice}`),
      ...(place.takesStack ? [`${when} -a '(__oslo_cluster_stacks)' -d stack`] : []),
      ...place.options.map(({ flag, says }) => `${when} -l ${flag.slice(2)} -d ${quote(says)}`),
    ].map((line) => `complete -c ${name} ${line}`);
  });
  return `# fish completion for ${name}
function __oslo_cluster_stacks
  for file in Pulumi.*.yaml
    string replace -r '^Pulumi\\.(.+)\\.yaml$' '$1' -- $file
  end
end
# Whether the words so far name this place.
function __oslo_cluster_at
  set -l words (commandline -opc)[2..]
  test (count $words) -ge (count $argv); or return 1
  for i in (seq (count $argv))
    test "$words[$i]" = "$argv[$i]"; or return 1
  end
  test (count $argv) -gt 0; or test (count $words) -eq 0
end
${lines.join("\n")}
`;
}
