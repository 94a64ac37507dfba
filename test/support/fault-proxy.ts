/**
 * A TCP proxy on the loopback that does to a connection what networks do. It knows nothing of what passes through it:
 * RESP and HTTP alike.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/**
 * `pass`: everything. `drop-replies`: requests arrive, replies vanish. `hold-replies`: requests arrive, replies are
 * delivered when the mode is `pass` again. `hang`: nothing passes, either way, and what came is lost.
 */
export type FaultMode = 'pass' | 'drop-replies' | 'hold-replies' | 'hang';

export interface FaultProxy {
  readonly port: number;
  /** Connections made since it started. */
  readonly connections: number;
  /** For connections that are open and for new ones. */
  mode(mode: FaultMode): void;
  /** Connections that are open now hang for ever, as after a freeze; new ones pass. */
  freeze(): void;
  /** Resets the connection the next reply comes on, instead of delivering it: it was applied, and nobody knows. */
  loseNextReply(): void;
  /** Resets every open connection. */
  cut(): void;
  /** Resets every open connection and refuses new ones. */
  refuse(): Promise<void>;
  /** Ends `refuse`, on the same port. */
  accept(): Promise<void>;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly held: Buffer[];
  frozen: boolean;
}

/** Starts it on a free port. */
export async function startFaultProxy({ targetPort }: { readonly targetPort: number }): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  let mode: FaultMode = 'pass';
  let losing = false;
  let connections = 0;

  const onReply = (pair: Pair, chunk: Buffer) => {
    if (losing) {
      losing = false;
      reset(pair);
    } else if (mode === 'hold-replies') pair.held.push(chunk);
    else if (mode === 'pass' && !pair.frozen) pair.client.write(chunk);
  };

  const onConnection = (client: Socket) => {
    connections++;
    const pair = { client, target: connect(targetPort, HOST), held: [], frozen: false };
    pairs.add(pair);
    joinEnds(pair, () => pairs.delete(pair));
    client.on('data', (chunk) => {
      if (mode !== 'hang' && !pair.frozen) pair.target.write(chunk);
    });
    pair.target.on('data', (chunk) => onReply(pair, chunk));
  };

  const cut = () => {
    for (const pair of pairs) reset(pair);
  };
  let server = await listen(0, onConnection);
  const { port } = server.address() as { port: number };
  const refuse = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    cut();
    await closed;
  };

  return {
    port,
    get connections() {
      return connections;
    },
    mode(next) {
      mode = next;
      if (mode === 'pass')
        for (const { client, held } of pairs) for (const chunk of held.splice(0)) client.write(chunk);
    },
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },
    loseNextReply() {
      losing = true;
    },
    cut,
    refuse,
    async accept() {
      server = await listen(port, onConnection);
    },
    async stop() {
      if (server.listening) await refuse();
    },
  };
}

function reset({ client, target }: Pair): void {
  client.resetAndDestroy();
  target.resetAndDestroy();
}

/** One side gone, the other goes too. Errors are the other side's business: `close` follows them. */
function joinEnds({ client, target }: Pair, onEnd: () => void): void {
  for (const [from, to] of [
    [client, target],
    [target, client],
  ] as const) {
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('close', () => {
      to.destroy();
      onEnd();
    });
  }
}

function listen(port: number, onConnection: (client: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => resolve(server));
  });
}
