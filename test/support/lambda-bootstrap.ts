/**
 * The child process of runtime-api.ts: what Lambda's bootstrap does with a bundle, once. Imports the handler, calls it
 * with the event, and tells the parent what came of it.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Invocation {
  readonly dir: string;
  readonly event: unknown;
  readonly timeoutMs: number;
}

process.once('message', async ({ dir, event, timeoutMs }: Invocation) => {
  const started = performance.now();
  const { handler } = await import(pathToFileURL(join(dir, 'index.js')).href);
  const initMs = performance.now() - started;
  const deadline = Date.now() + timeoutMs;
  const context = {
    awsRequestId: '8f507cfc-example-4697-b07a-ac58fc914c95',
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
    memoryLimitInMB: '1024',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  const outcome = await Promise.resolve(handler(event, context)).then(
    (reply: unknown) => ({ reply: reply ?? null }),
    (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  // JSON, because that is all Lambda passes on.
  process.send?.(JSON.stringify({ ...outcome, initMs }), () => process.exit());
});
