/** Starts a Lambda function and does not wait for what it does. Imported on first use: the SDK takes longer to load than most requests. */
import { InvocationType, InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { deadlineSignal } from '../aws/deadline-signal.ts';
import type { RunEvent } from './start-run.ts';

export interface LambdaInvokerOptions {
  /** Name or ARN. */
  readonly functionName: string;
  /** Of the client; without them AWS's own chain (environment, role of the function). */
  readonly client?: Pick<LambdaClientConfig, 'endpoint' | 'region' | 'credentials'>;
}

/** A request waits for it: a Lambda that does not answer is given up, the schedule comes anyway. */
const TIMEOUT_MS = 1_500;
const CONNECT_MS = 500;
/** One more hides a connection that died while the function was frozen. Started twice, the second run finds nothing to do. */
const MAX_ATTEMPTS = 2;

/** @returns starts it; ends within 1.5 s, and throws what the SDK throws unless Lambda has taken the call. */
export function createLambdaInvoker({ functionName, client: settings }: LambdaInvokerOptions) {
  const client = new LambdaClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: TIMEOUT_MS },
    ...settings,
  });
  return async (event?: RunEvent): Promise<void> => {
    const call = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: InvocationType.Event,
      ...(event === undefined ? {} : { Payload: Buffer.from(JSON.stringify(event)) }),
    });
    await client.send(call, { abortSignal: deadlineSignal(TIMEOUT_MS, undefined) });
  };
}
