/** The `$default` route: a 404 problem for what no endpoint answers. */
import { route } from '../../lib/http/route.ts';
import { answerUnknownRoute, unknownRouteContract } from '../../lib/http/unknown-route.ts';

export const handler = route(unknownRouteContract, (_input, app, { event }) => answerUnknownRoute(event, app));
