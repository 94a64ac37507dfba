/** Ctrl-C, SIGTERM and a closed terminal: the first asks for a clean stop, a later one does not wait for it. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm passes on the Ctrl-C that the terminal has sent to this process already: one press arrives twice. */
const SAME_PRESS_MS = 800;

/** Resolves at the first signal. Another one, later than the echo of the first, calls `onForce`. */
export function waitForStopSignal(onForce: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        firstAtMs ??= performance.now();
        resolve(signal);
        if (performance.now() - firstAtMs > SAME_PRESS_MS) onForce();
      });
    }
  });
}
