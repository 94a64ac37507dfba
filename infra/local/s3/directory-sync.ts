import { open } from 'node:fs/promises';

/**
 * Makes renames and removals in directories durable. Callers that come while one sync runs share the next one, so a
 * burst of writers costs two syncs rather than one each.
 */
export function createDirectorySync() {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  function start(directory: string): Promise<void> {
    const run = syncDirectory(directory).finally(() => running.delete(directory));
    running.set(directory, run);
    return run;
  }

  /** Resolves when every change made in `directory` before this call is on the disk. */
  return function sync(directory: string): Promise<void> {
    const current = running.get(directory);
    if (current === undefined) return start(directory);
    const waiting = next.get(directory);
    if (waiting !== undefined) return waiting;
    const begin = () => {
      next.delete(directory);
      return start(directory);
    };
    const following = current.then(begin, begin);
    next.set(directory, following);
    return following;
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
