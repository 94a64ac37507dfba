/** The requests a host has taken and not yet answered. */
import type { ServerResponse } from 'node:http';

export interface UnderWay {
  /** From here until its answer was sent, or its connection is gone. */
  enter(response: ServerResponse): void;
  /** Whether new requests are still taken. */
  isOpen(): boolean;
  /** Takes no more; resolves when all have ended, or `signal` aborts. @returns how many were answered, and how many are left. */
  drain(signal: AbortSignal): Promise<{ readonly finished: number; readonly cut: number }>;
}

export function createUnderWay(): UnderWay {
  const open = new Set<ServerResponse>();
  let isOpen = true;
  let onEmpty = () => {};

  return {
    isOpen: () => isOpen,

    enter(response) {
      open.add(response);
      response.once('close', () => {
        open.delete(response);
        if (open.size === 0) onEmpty();
      });
    },

    async drain(signal) {
      isOpen = false;
      const all = [...open];
      if (all.length > 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      const cut = all.filter((response) => open.has(response)).length;
      return { finished: all.length - cut, cut };
    },
  };
}
