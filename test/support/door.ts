/**
 * Every function behind its route, in this process: a request as it comes off the wire becomes the event the gateway
 * makes of it, and the reply is what the gateway would send. Routes are those of serverless.yml.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { toGatewayEvent } from '../../infra/local/gateway-event.ts';
import { GatewayError, toProblemReply } from '../../infra/local/gateway-problem.ts';
import { type GatewayReply, toGatewayReply } from '../../infra/local/gateway-reply.ts';
import { createRouteTable } from '../../infra/local/gateway-route.ts';
import { createLambdaContext, type LambdaContext } from '../../infra/local/host/lambda-context.ts';
import { type RouteEntry, readServiceMap } from '../../infra/local/service-map.ts';
import { type App, getApp } from '../../lib/app.ts';
import { type Transport, testEnv } from './app.ts';

const SERVICE = join(import.meta.dirname, '../../serverless.yml');

export interface DoorRequest {
  readonly method?: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  /** Of the Authorization header, after `Bearer `. */
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

export interface DoorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Door {
  readonly app: App;
  readonly routes: readonly RouteEntry[];
  call(request: DoorRequest): Promise<DoorReply>;
}

/** Registered while the file is collected: within a hook, `afterAll` is never called. */
let opened: App | undefined;
afterAll(() => opened?.close());

/**
 * Opens the door on the shared servers, under a key prefix of its own, so that nobody else's tenants are counted. Once in
 * a test file: the functions share one app, made of this process's environment. Closed when the file ends.
 */
export async function openDoor(
  env: Readonly<Record<string, string>> = {},
  transport: Transport = 'tcp',
): Promise<Door> {
  const prefix = `door-${randomUUID().slice(0, 8)}`;
  Object.assign(
    process.env,
    testEnv(transport, { PERSISTENCE_CACHE_KEY_PREFIX: prefix, PERSISTENCE_LOG_LEVEL: 'error', ...env }),
  );
  const { routes } = await readServiceMap(SERVICE);
  const table = createRouteTable(routes);
  const app = await getApp();
  opened = app;

  const call = async (request: DoorRequest): Promise<DoorReply> => {
    const requestId = randomUUID();
    try {
      const found = toGatewayEvent({ ...onTheWire(request), requestId }, table.match);
      if (found === undefined) throw new Error('serverless.yml declares no $default');
      const handler = await loadHandler(found.route);
      return toReply(toGatewayReply(await handler(found.event, createLambdaContext(found.route.function, requestId))));
    } catch (error) {
      if (error instanceof GatewayError) return toReply(toProblemReply(error, requestId));
      throw error;
    }
  };
  return { app, routes, call };
}

type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;

async function loadHandler({ function: { file, exportName } }: RouteEntry): Promise<Handler> {
  const module: Record<string, Handler> = await import(file);
  return module[exportName] as Handler;
}

function onTheWire({ method = 'GET', target, key, headers = {}, body }: DoorRequest) {
  const all = { host: 'riptide.test', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers };
  return {
    method,
    target,
    rawHeaders: Object.entries(all).flat(),
    protocol: 'HTTP/1.1',
    sourceIp: '127.0.0.1',
    port: 80,
    body: body === undefined ? undefined : Buffer.from(body),
    nowMs: Date.now(),
  };
}

const toReply = ({ status, headers, body }: GatewayReply): DoorReply => ({
  status,
  headers: headers as Record<string, string>,
  body: Buffer.from(body ?? ''),
});
