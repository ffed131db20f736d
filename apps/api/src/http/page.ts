/** How lists are paged: newest first, by the id of the last entry seen. */
import { z } from 'zod';
import { integerParameter } from './text.js';

export const pageQuery = {
  limit: integerParameter(1, 500).default(50),
  after: z.uuid().optional().describe('The id of the last entry of the page before'),
};

/** Null when there is no further page. */
export const nextPage = z.uuid().nullable().describe('What to ask for as "after"; null on the last page');

export function nextOf(rows: readonly { readonly id: string }[], limit: number): string | null {
  return rows.length === limit ? (rows.at(-1)?.id ?? null) : null;
}
