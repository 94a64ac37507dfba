/** GET /docs: this API as a page to read. */
import { showDocsContract } from '../../lib/docs/contract.ts';
import { pageReply } from '../../lib/docs/page-reply.ts';
import { route } from '../../lib/http/route.ts';

export const handler = route(showDocsContract, async () => pageReply());
