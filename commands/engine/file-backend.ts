/**
 * The address of a backend in a directory, whose states survive a kill at any moment. Pulumi replaces a state's file at
 * once, but writes its type beside it, into `<state>.attrs`, in place; one that is cut short there makes the state
 * unreadable (`failed to load checkpoint: EOF`). Nothing needs that file, and `metadata=skip` leaves it out
 * (https://pkg.go.dev/gocloud.dev/blob/fileblob).
 *
 * @param directory an absolute path
 */
export function fileBackend(directory: string): string {
  return `file://${directory}?metadata=skip`;
}
