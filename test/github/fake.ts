import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { root } from "../root.ts";

/** Answers by path, as GitHub's API gives them; what is not among them is not found. */
export type Answers = Record<string, unknown>;

/** gh, of which scripts see `gh api [--paginate] [--method M] PATH [-f k=v] [--jq FILTER]`. */
const gh = `#!/usr/bin/env bash
here=\${0%/*}
printf '%s\\n' "$*" >>"$here/asked"
path= filter=.
while (($#)); do
  case $1 in
    --jq) filter=$2 && shift ;;
    --method | -f | -F | --repo | --name) [[ $1 == -F ]] && cp "\${2#body=@}" "$here/body"; shift ;;
    --dir) cp "$here"/artifact/* "$2/" && exit 0 ;;
    --* | api | run | download) ;;
    *) path=$1 ;;
  esac
  shift
done
answer=$here/answers/\${path//\\//%2F}
if [[ ! -e $answer ]]; then echo "gh: not found: $path" >&2 && exit 1
elif [[ $filter == . ]]; then cat "$answer"
else
  # What was asked of this very answer before.
  known=$here/known/\${path//\\//%2F}/\${filter//\\//%2F}
  [[ -e $known ]] || { jq -r "$filter" "$answer" >"$known.new" && mv "$known.new" "$known"; } || exit
  cat "$known"
fi
`;

/** A folder with a gh that answers from a table, for the scripts of .github/scripts. */
export class FakeGitHub {
  readonly place = mkdtempSync(join(tmpdir(), "github-"));
  private readonly given = new Map<string, string>();

  constructor() {
    writeFileSync(join(this.place, "gh"), gh);
    chmodSync(join(this.place, "gh"), 0o755);
    mkdirSync(join(this.place, "artifact"));
  }

  /** Runs a script; its exit code, its words, and what gh was asked. */
  async run(script: string, args: string[], answers: Answers, options: object = {}) {
    writeFileSync(join(this.place, "asked"), "");
    rmSync(join(this.place, "answers"), { recursive: true, force: true });
    mkdirSync(join(this.place, "answers"));
    for (const [path, answer] of Object.entries(answers)) {
      // One that is undefined is not found.
      if (answer === undefined) continue;
      const name = path.replaceAll("/", "%2F");
      const text = JSON.stringify(answer);
      writeFileSync(join(this.place, "answers", name), text);
      if (this.given.get(name) === text) continue;
      this.given.set(name, text);
      rmSync(join(this.place, "known", name), { recursive: true, force: true });
      mkdirSync(join(this.place, "known", name), { recursive: true });
    }
    const { env = {}, ...others } = options as { env?: Record<string, string> };
    const result = await execa(join(root, ".github/scripts", script), args, {
      reject: false,
      env: {
        PATH: `${this.place}:${process.env.PATH}`,
        ...{ GITHUB_REPOSITORY: "o/r", GH_TOKEN: "t", ...env },
      },
      ...others,
    });
    return { ...result, asked: this.read("asked").split("\n").filter(Boolean) };
  }

  /** What is in a file of the folder: `asked`, or the `body` that was sent last. */
  read(name: string): string {
    return readFileSync(join(this.place, name), "utf8");
  }

  write(name: string, content: string): string {
    writeFileSync(join(this.place, name), content);
    return join(this.place, name);
  }

  end(): void {
    rmSync(this.place, { recursive: true });
  }
}
