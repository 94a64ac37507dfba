import * as z from 'zod';

export const MAX_PAGE = 100;

/** How many items a page may have, from a query; 100 where nothing is said. */
export const PageSize = z
  .string()
  .regex(/^(?:[1-9]\d?|100)$/, `must be 1 to ${MAX_PAGE}`)
  .transform(Number)
  .default(MAX_PAGE);
