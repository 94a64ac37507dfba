/** The context Lambda hands to a function, as far as functions of this service may use it. */
import type { Context } from 'aws-lambda';

/** Node 24 on Lambda has no callbacks: `done`, `fail` and `succeed` are gone. */
export type LambdaContext = Omit<Context, 'done' | 'fail' | 'succeed'>;

export interface FunctionFacts {
  /** The key in serverless.yml. */
  readonly name: string;
  readonly memoryMb: number;
  /** Milliseconds the function has for one event. */
  readonly timeoutMs: number;
}

/** A context for one invocation that starts now. */
export function createLambdaContext({ name, memoryMb, timeoutMs }: FunctionFacts, requestId: string): LambdaContext {
  const endsAtMs = performance.now() + timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, Math.round(endsAtMs - performance.now())),
  };
}
