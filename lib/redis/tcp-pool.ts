/** Which connection a call takes: as few as carry the load, at most `redis.poolSize`. */
import type { TcpConnection } from './tcp-connection.ts';
import { unavailable } from './transport-errors.ts';

/**
 * Calls one connection carries before the next is opened. Redis answers a connection in order and ioredis writes the
 * commands of one tick at once, so sharing one is faster than spreading; a second one helps when much is under way.
 */
const CALLS_PER_CONNECTION = 128;

export interface TcpPool {
  /** A connection that takes calls. @throws {RedisUnavailableError} the pool was closed. */
  pick(): TcpConnection;
  close(): void;
}

/** Opens connections when they are needed. One that is over is left behind and never used again. */
export function createTcpPool(options: { readonly size: number; readonly open: () => TcpConnection }): TcpPool {
  let connections: TcpConnection[] = [];
  let closed = false;

  const grow = () => {
    const connection = options.open();
    connections.push(connection);
    return connection;
  };

  return {
    pick() {
      if (closed) throw unavailable('closed');
      const first = connections[0];
      if (first !== undefined && first.load < CALLS_PER_CONNECTION && !first.isOver()) return first;
      connections = connections.filter((connection) => !connection.isOver());
      const free = connections.find((connection) => connection.load < CALLS_PER_CONNECTION);
      if (free !== undefined) return free;
      return connections.length < Math.max(1, options.size) ? grow() : leastLoaded(connections);
    },
    close() {
      closed = true;
      for (const connection of connections) connection.end();
      connections = [];
    },
  };
}

function leastLoaded(connections: readonly TcpConnection[]): TcpConnection {
  return connections.reduce((least, next) => (next.load < least.load ? next : least));
}
