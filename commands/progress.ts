/** What takes longer than this says so. */
const quietMilliseconds = 2000;

/** What a command does right now, on standard error, once it has taken two seconds. */
export interface Progress extends Disposable {
  /** @param what As a person reads it: `planning dev`. */
  at(what: string): void;
}

/** On a terminal one line that changes; elsewhere a line for each part. */
export function progress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const start = Date.now();
  let current = "";
  let shown = "";
  const clear = () => {
    if (shown !== "" && stream.isTTY) stream.write("\r\u001b[K");
    shown = "";
  };
  const show = () => {
    const elapsed = Date.now() - start;
    if (current === "" || elapsed < quietMilliseconds) return;
    if (stream.isTTY) {
      shown = `${current} (${Math.round(elapsed / 1000)} s)`;
      stream.write(`\r\u001b[K${shown.slice(0, (stream.columns ?? 80) - 1)}`);
    } else if (shown !== current) {
      shown = current;
      stream.write(`${current} ...\n`);
    }
  };
  const timer = setInterval(show, 500);
  timer.unref();
  return {
    at(what) {
      current = what;
      show();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      clear();
    },
  };
}
