/**
 * The one door every HTTP function goes through: guard, parse, run, answer. A handler file holds only what differs: its
 * contract and one call into lib/.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { refusedResource } from '../alerts/refused-resource.ts';
import { type App, getApp } from '../app.ts';
import { DeadlineError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import { newUlid } from '../ids.ts';
import { admissions, commonHeaders } from './common-headers.ts';
import type { Contract, Guard, Input } from './contract.ts';
import type { HttpEvent, HttpReply } from './event.ts';
import { bearerOf, readCaller, requireAdmin } from './guards.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { invocationLog } from './invocation-log.ts';
import { problemReplies } from './problem-replies.ts';
import { encodeReply } from './reply.ts';
import { parseInput } from './request-input.ts';
import type { Result } from './result.ts';

/** What a handler knows of its request besides the input. */
export interface RequestContext<G extends Guard = Guard> {
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** Identity of this operation: the same for a repeated call with the same `Idempotency-Key`. A ULID. */
  readonly operationId: () => string;
  /** Grows when a repeated call takes over one that did not end; 0 without an `Idempotency-Key`. */
  readonly fence: number;
  readonly event: HttpEvent;
  /** Of tenant routes. The services pass it to the gate. */
  readonly caller: G extends { kind: 'tenant' } ? Caller : undefined;
}

export type Run<C extends Contract> = (
  input: Input<C>,
  app: App,
  request: RequestContext<C['guard']>,
) => Promise<Result>;

/** Time to answer in before Lambda's own timeout. */
const DEADLINE_MARGIN_MS = 250;

/** The handler of one endpoint. */
export function route<C extends Contract>(contract: C, run: Run<C>) {
  return middy<HttpEvent, HttpReply, Error, Context>({
    timeoutEarlyInMillis: DEADLINE_MARGIN_MS,
    timeoutEarlyResponse: () => {
      throw new DeadlineError('There was not enough time to finish; what was sent may still be applied', {
        retryAfterMs: 1_000,
      });
    },
  })
    .use(invocationLog(contract))
    .use(commonHeaders())
    .use(problemReplies(contract))
    .handler((event, _context, { signal }) => answer({ contract, run }, event, signal));
}

interface Endpoint<C extends Contract> {
  readonly contract: C;
  readonly run: Run<C>;
}

async function answer<C extends Contract>(
  { contract, run }: Endpoint<C>,
  event: HttpEvent,
  signal: AbortSignal,
): Promise<HttpReply> {
  const app = await getApp();
  // Another configuration may be active by now.
  if (contract.guard.kind !== 'open') await app.configLook.beforeRequest();
  const startedAt = performance.now();
  let vouched = false;
  const caller = await enter(contract, event, app, {
    signal,
    onAdmitted: (admission) => admissions.set(event, admission),
    onVouched: () => {
      vouched = true;
    },
  });
  const input = parseInput(contract, event);
  const work = (operationId: () => string, fence: number) =>
    run(input, app, { event, signal, operationId, fence, caller } as RequestContext<C['guard']>);
  const serve = () => once({ contract, event, app, signal, caller }, work);
  const result = await app.liveConfig.run(caller?.tenantId, serve).catch(async (error: unknown) => {
    // A quota that is used up is told of (lib/alerts): nothing else learns of what was refused.
    const resource = caller === undefined ? undefined : refusedResource(error);
    if (caller !== undefined && resource !== undefined) await app.alerts.noteRefusal(caller.tenantId, resource);
    throw error;
  });
  if (caller !== undefined) {
    app.gate.carry(caller.tenantId, (performance.now() - startedAt) * 1000);
    if (!admissions.has(event) && !vouched && contract.whenLimitsFail !== 'open')
      throw new TypeError('A tenant route answered without passing the gate');
  }
  return encodeReply(result);
}

/** Lets the caller in, or throws. A tenant's key is only read here: its gate decides, with the work. */
async function enter(
  contract: Contract,
  event: HttpEvent,
  app: App,
  more: Pick<Caller, 'signal' | 'onAdmitted' | 'onVouched'>,
) {
  switch (contract.guard.kind) {
    case 'open':
      return undefined;
    case 'admin':
      return void (await requireAdmin(event, app, more.signal));
    case 'tenant':
      return { ...readCaller(event, app), ...more, route: contract.name };
  }
}

interface OneCall {
  readonly contract: Contract;
  readonly event: HttpEvent;
  readonly app: App;
  readonly signal: AbortSignal;
  readonly caller: Caller | undefined;
}

/** Runs the work; with an `Idempotency-Key` on POST or PATCH, once. */
async function once(
  { contract, event, app, signal, caller }: OneCall,
  work: (operationId: () => string, fence: number) => Promise<Result>,
): Promise<Result> {
  const idempotencyKey =
    contract.method === 'POST' || contract.method === 'PATCH'
      ? parseIdempotencyKey(event.headers?.['idempotency-key'])
      : undefined;
  if (idempotencyKey === undefined) return work(newOperationId, 0);
  return app.idempotency.run(
    {
      caller: bearerOf(event),
      tenant: caller && { caller, scope: scopeOf(contract.guard) },
      idempotencyKey,
      route: `${contract.method} ${event.rawPath ?? contract.path}`,
      body: `${event.rawQueryString ?? ''}\n${event.body ?? ''}`,
      operationId: newOperationId(),
      leaseMs: 30_000,
      signal,
    },
    (operationId, fence) => work(() => operationId, fence),
  );
}

const scopeOf = (guard: Guard) => (guard.kind === 'tenant' ? guard.scope : 'none');
const newOperationId = () => newUlid(Date.now());
