/**
 * The child process of runtime-api.ts: what Lambda's bootstrap does with a bundle, once. Imports the handler, calls it
 * with the event, and tells the parent what came of it. Told to stay, it then waits as an instance between two events does.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Invocation {
  readonly dir: string;
  readonly event: unknown;
  readonly timeoutMs: number;
  readonly stays: boolean;
}

process.once('message', async ({ dir, event, timeoutMs, stays }: Invocation) => {
  const started = performance.now();
  const { handler } = await import(pathToFileURL(join(dir, 'index.js')).href);
  const initMs = performance.now() - started;
  const api = process.env.AWS_LAMBDA_RUNTIME_API;
  if (api) await fetch(`http://${api}/2018-06-01/runtime/invocation/next`);
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
  // As the question for the next event does.
  if (stays) setInterval(() => {}, 60_000);
  // JSON, because that is all Lambda passes on.
  process.send?.(JSON.stringify({ ...outcome, initMs }), () => stays || process.exit());
});
