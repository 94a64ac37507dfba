/**
 * One Lambda function that serves several endpoints. Each is loaded with its first request: a cold start reads the door,
 * and of the endpoints only the one that is asked for. The build writes the entry that calls this (infra/build/bundle.ts).
 */
import type { Context } from 'aws-lambda';
import type { HttpEvent, HttpReply } from './event.ts';
// Every endpoint needs the door: it belongs to the start.
import './route.ts';

type Handler = (event: HttpEvent, context: Context) => Promise<HttpReply>;

/** How to load an endpoint's file. */
export type LoadEndpoint = () => Promise<{ readonly handler: Handler }>;

/**
 * The handler of the function.
 * @param endpoints by route, as API Gateway names it: `GET /admin/tenants/{id}`.
 * @throws {TypeError} the event is of a route this function does not serve: routes and bundle are not of one build.
 */
export function sharedFunction(endpoints: Readonly<Record<string, LoadEndpoint>>): Handler {
  const byRoute = new Map(Object.entries(endpoints));
  return async (event, context) => {
    const load = byRoute.get(event.routeKey ?? '');
    if (load === undefined) throw new TypeError(`This function does not serve the route ${event.routeKey}`);
    const { handler } = await load();
    return handler(event, context);
  };
}
