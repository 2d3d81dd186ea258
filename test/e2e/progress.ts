/** A place in a bring-up: a resource, and how many lines of progress it has printed until then. */
export interface ProgressEvent {
  resource: string;
  line: number;
}

/** Of a line such as ` +  command:remote:Command cp-1-base creating (2s) write /etc/…`. */
const pattern = /^ *[+~-]+ +(?!pulumi:pulumi:Stack )\S+ (\S+) (?:creat|updat|delet)(ing|ed)\b/;

/**
 * Of which resource a line of the CLI's progress is, and whether that is made now; undefined of other lines, and of
 * the stack itself, which is there from the first run on.
 */
export function saidOf(line: string): { resource: string; isDone: boolean } | undefined {
  const [, resource, ending] = pattern.exec(line) ?? [];
  return resource === undefined ? undefined : { resource, isDone: ending === "ed" };
}

/** What a whole bring-up says of its resources, in its order: what takes long, such as a join, says more. */
export function progressOf(printed: string): ProgressEvent[] {
  const lines = new Map<string, number>();
  return printed.split("\n").flatMap((text) => {
    const resource = saidOf(text)?.resource;
    if (resource === undefined) return [];
    const line = (lines.get(resource) ?? 0) + 1;
    lines.set(resource, line);
    return [{ resource, line }];
  });
}

/** So many events in their order, one of each part of the same length. */
export function spread(
  events: readonly ProgressEvent[],
  count: number,
  next: () => number,
): ProgressEvent[] {
  return Array.from({ length: count }, (_, part) => {
    const at = Math.floor(((part + next()) / count) * events.length);
    return events[at] as ProgressEvent;
  });
}
