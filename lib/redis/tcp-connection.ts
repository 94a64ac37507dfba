/** One connection's calls: the wait for a connection, the timeout and the caller's signal of each. */
import type { RedisCommand, RedisReply } from './driver.ts';
import { ABORTED, ioredisCommand, isErrorReply, isSuspect, tcpFault } from './tcp-flight.ts';
import type { SentProbe, TcpLink } from './tcp-link.ts';
import { unavailable } from './transport-errors.ts';
import { type WaitLimits, within } from './waiting.ts';

export interface TcpConnection {
  /** Calls that have not ended. */
  readonly load: number;
  /** No new call may use it: it is closed, or it kept a call waiting too long. */
  isOver(): boolean;
  /**
   * Sends one command. Many may be under way: replies come in the order of the commands.
   * @throws as the attempt of withRetries.
   */
  issue(command: RedisCommand, limits: WaitLimits): Promise<RedisReply>;
  /** Drops it at once; calls under way fail. */
  end(): void;
}

/**
 * A caller that gives up after this long, without one reply to anybody meanwhile, has met a connection that is half-open,
 * perhaps: short deadlines, as those of health checks, would otherwise never let the command timeout tell.
 */
const SILENT_MS = 1_000;

/**
 * Runs calls over one link. After a timeout, a long silence, or an answer of a node that is no longer a master, it takes no
 * new calls; those under way end by their own timeouts, then it closes. So a late reply has no one to go to but its own
 * caller.
 */
export function createTcpConnection(link: TcpLink): TcpConnection {
  let load = 0;
  let replies = 0;
  let suspect = false;

  const issue = async (command: RedisCommand, limits: WaitLimits): Promise<RedisReply> => {
    load++;
    const { signal } = limits;
    let probe: SentProbe | undefined;
    let onAbort: (() => void) | undefined;
    const repliesBefore = replies;
    const startedAt = signal === undefined ? 0 : performance.now();
    try {
      const timeoutMs = link.isReady() ? limits.timeoutMs : await connected(link, limits);
      const flight = ioredisCommand(command);
      flight.setTimeout(timeoutMs);
      probe = link.start(flight);
      if (signal !== undefined) {
        onAbort = () => flight.reject(ABORTED);
        signal.addEventListener('abort', onAbort, { once: true });
      }
      const reply = await flight.promise;
      replies++;
      return reply;
    } catch (error) {
      if (probe === undefined) throw error;
      if (isErrorReply(error)) replies++;
      const silent = error === ABORTED && replies === repliesBefore && performance.now() - startedAt >= SILENT_MS;
      suspect ||= silent || isSuspect(error);
      throw tcpFault(error, probe.sent);
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      load--;
      if (suspect && load === 0) link.end();
    }
  };

  return {
    get load() {
      return load;
    },
    isOver: () => suspect || link.isOver(),
    issue,
    end: () => link.end(),
  };
}

/** Waits for the connection. @returns the milliseconds left for the command. */
async function connected(link: TcpLink, limits: WaitLimits): Promise<number> {
  const startedAt = performance.now();
  await within(link.connect(), limits, (reason) => unavailable('not_connected', reason));
  return Math.max(1, limits.timeoutMs - (performance.now() - startedAt));
}
