/** The least a Lambda handler of this kind is: what the cold start of ours is compared with. */
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';

const logger = new Logger({ serviceName: 'bare' });

export const handler = middy()
  .use(injectLambdaContext(logger))
  .handler(async () => ({ statusCode: 200, body: '{}' }));
