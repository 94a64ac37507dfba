/** Named points before and after each call of a port, where tests make things go wrong at exactly one moment. */
import type { RedisCommand, RedisDriver, SendOptions } from './driver.ts';

export interface FailpointCall {
  readonly port: 'redis' | 'blobs' | 'keys' | 'webhooks';
  /** The script's name, else the command's first word; of a blob store or a key provider the method. */
  readonly name: string;
  /** `before`: nothing was done. `after`: it was done, and the caller does not know yet. */
  readonly phase: 'before' | 'after';
}

/** May throw, wait or end the process. What it throws the caller gets instead of the outcome. */
export type FailpointHook = (call: FailpointCall) => void | Promise<void>;

/** The same driver, with a failpoint before and after every trip; `after` only when the trip went well. */
export function withFailpoints(driver: RedisDriver, hook: FailpointHook): RedisDriver {
  const around = async <T>(commands: readonly RedisCommand[], options: SendOptions, trip: () => Promise<T>) => {
    const name = options.name ?? commands[0]?.[0] ?? '';
    await hook({ port: 'redis', name, phase: 'before' });
    const outcome = await trip();
    await hook({ port: 'redis', name, phase: 'after' });
    return outcome;
  };
  return {
    send: (command, options) => around([command], options, () => driver.send(command, options)),
    sendAll: (commands, options) => around(commands, options, () => driver.sendAll(commands, options)),
    close: () => driver.close(),
  };
}
