/** Runs that a long-running host starts when it is asked to, for the functions in its own process. On Lambda there are none. */

/** As the schedule that comes by the clock. */
export type RunName = 'run-jobs' | 'spill-sessions';

/** Starts a run, and does not wait for it. Who registers it bounds how many there are, and waits for them when the host stops. */
export type StartRun = () => void;

const registered = new Map<RunName, StartRun>();

/** One for each process, as the host is. */
export const hostRuns = {
  /** @returns takes it back. */
  register(name: RunName, start: StartRun): () => void {
    registered.set(name, start);
    return () => void (registered.get(name) === start && registered.delete(name));
  },
  find: (name: RunName): StartRun | undefined => registered.get(name),
} as const;
