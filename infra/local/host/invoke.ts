/** Invokes a function of serverless.yml in this process: loaded once, one context per event, within its time. */
import { pathToFileURL } from 'node:url';
import { GatewayError } from '../gateway-problem.ts';
import { createLambdaContext, type FunctionFacts, type LambdaContext } from './lambda-context.ts';

type Handler = (event: unknown, context: LambdaContext) => unknown;

/** A function of serverless.yml and where its code is. */
export interface LocalFunction extends FunctionFacts {
  /** Absolute path of the source. */
  readonly file: string;
  /** The name it exports. */
  readonly exportName: string;
}

export interface Invoker {
  /** Imports the code, as Lambda does at a cold start. @throws {Error} it cannot be imported, or exports no such function. */
  load(): Promise<void>;
  /**
   * Runs the function for one event. After its time it goes on running, but nobody waits for it.
   * @throws {GatewayError} 503 `gateway_timeout`: it took longer than its timeout, or than its caller waits.
   * @throws whatever the function throws.
   */
  invoke(event: unknown, requestId: string): Promise<unknown>;
}

/** The invoker of one function; nothing is loaded before it is needed. `patienceMs`: how long its caller waits at most. */
export function createInvoker(facts: LocalFunction, patienceMs = Number.POSITIVE_INFINITY): Invoker {
  const limitMs = Math.min(facts.timeoutMs, patienceMs);
  let handler: Handler | undefined;
  let loading: Promise<Handler> | undefined;

  async function load(): Promise<Handler> {
    loading ??= importHandler(facts);
    handler = await loading;
    return handler;
  }

  return {
    load: async () => void (await load()),
    async invoke(event, requestId) {
      const run = handler ?? (await load());
      return within(limitMs, () => run(event, createLambdaContext(facts, requestId)));
    },
  };
}

async function importHandler({ name, file, exportName }: LocalFunction): Promise<Handler> {
  const module: Record<string, unknown> = await import(pathToFileURL(file).href);
  const handler = module[exportName];
  if (typeof handler !== 'function') throw new Error(`Function ${name}: ${file} exports no function "${exportName}"`);
  return handler as Handler;
}

async function within(limitMs: number, run: () => unknown): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    const late = () =>
      reject(new GatewayError(503, 'gateway_timeout', `The function gave no answer within ${limitMs} ms`));
    timer = setTimeout(late, limitMs);
  });
  try {
    return await Promise.race([run(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
