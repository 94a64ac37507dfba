/** One ioredis Cluster client. It follows redirects and waits out TRYAGAIN; it never repeats a write by itself. */
import { Cluster, type Command } from 'ioredis';
import { isErrorReply } from './tcp-flight.ts';
import { clientOptions, connectFault, type TcpLink, type TcpLinkConfig } from './tcp-link.ts';

/** Written in place of a command nobody waits for any more: the queue of replies must stay in step. */
const PING_FRAME = '*1\r\n$4\r\nPING\r\n';

/**
 * A link to a cluster: one connection for each node, commands routed by their first key.
 * `config.url` names one node or several, separated by commas; user, password and TLS of the first hold for all.
 */
export function createClusterLink(config: TcpLinkConfig): TcpLink {
  const cluster = new Cluster(startupNodes(config.url), clusterOptions(config));
  let lastError: unknown;
  let connecting: Promise<void> | undefined;
  cluster.on('error', (error) => {
    lastError = error.lastNodeError ?? error;
  });
  return {
    isReady: () => cluster.status === 'ready',
    isOver: () => cluster.status === 'end',
    connect() {
      connecting ??= cluster.connect().catch(() => {
        throw connectFault(lastError);
      });
      return connecting;
    },
    start(command) {
      const probe = watchWrites(command);
      cluster.sendCommand(command);
      watchRedirects(command, probe);
      return probe;
    },
    end: () => cluster.disconnect(),
  };
}

/** Closed connections are not retried (`retryDelayOnFailover: 0`): that would repeat writes. */
function clusterOptions(config: TcpLinkConfig) {
  const { protocol, username, password } = new URL(firstUrl(config.url));
  return {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: config.retryDelayMs,
    retryDelayOnTryAgain: config.retryDelayMs,
    slotsRefreshTimeout: Math.min(config.connectionTimeoutMs, config.commandTimeoutMs),
    redisOptions: {
      ...clientOptions(config),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    },
  };
}

function startupNodes(urls: string): { host: string; port: number }[] {
  return urls.split(',').map((text) => {
    const { hostname, port } = new URL(text.trim());
    return { host: hostname, port: port === '' ? 6379 : Number(port) };
  });
}

const firstUrl = (urls: string): string => urls.split(',', 1)[0] ?? urls;

/** ioredis turns a command into bytes at the moment it writes them; it may do so again, to follow a redirect. */
function watchWrites(command: Command): { sent: boolean } {
  const probe = { sent: false };
  const toWritable = command.toWritable;
  command.toWritable = (stream) => {
    if (command.isSettled) return PING_FRAME;
    probe.sent = true;
    return toWritable.call(command, stream);
  };
  return probe;
}

/** A redirect is an answer: what was sent before it did nothing. Set after the Cluster's own handler, so it runs first. */
function watchRedirects(command: Command, probe: { sent: boolean }): void {
  const reject = command.reject;
  command.reject = (error) => {
    if (isErrorReply(error)) probe.sent = false;
    reject(error);
  };
}
