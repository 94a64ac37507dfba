/** The stop of a long-running host, as what runs in its process sees it. On Lambda there is none. */

export interface HostStop {
  /** Aborts when the host is told to stop: what can be gone on with elsewhere ends. */
  readonly signal: AbortSignal;
  /** A job was put off for others to go on with. */
  readonly noteHandedOver: () => void;
}

let current: HostStop | undefined;

/** One for each process, as the host is. */
export const hostStop = {
  /** @returns takes it back. */
  register(stop: HostStop): () => void {
    current = stop;
    return () => {
      if (current === stop) current = undefined;
    };
  },
  find: (): HostStop | undefined => current,

  /** A signal that aborts with `signal`, and when the host stops. */
  with: (signal: AbortSignal): AbortSignal =>
    current === undefined ? signal : AbortSignal.any([signal, current.signal]),
} as const;
