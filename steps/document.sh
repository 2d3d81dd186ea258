# shellcheck shell=bash
# For what is bound to its connection: its document comes first on stdin.

# The vars of a document as plan/step.ts renders it; `files:` is its last line.
read_document() {
  local line variable='^  ([A-Z_]+): "([^"]*)"$'
  while IFS= read -r line && [[ $line != files: ]]; do
    if [[ $line =~ $variable ]]; then printf -v "${BASH_REMATCH[1]}" %s "${BASH_REMATCH[2]}"; fi
  done
}
