/** Pages of a list: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api */
import type { Call } from './http.ts';

const DEFAULT_PER_PAGE = 30;
const MAX_PER_PAGE = 100;

/** Invalid and absent numbers count as the default, as on GitHub. */
function positive(value: string | undefined, fallback: number): number {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number : fallback;
}

/**
 * The page of a list that a request asks for, and the Link header that leads to the other pages.
 *
 * @returns no `link` header when there is one page only
 */
export function paginate<Item>(call: Call, items: readonly Item[]): { page: Item[]; headers: Record<string, string> } {
  const perPage = Math.min(positive(call.query.per_page, DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const number = positive(call.query.page, 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (page: number, rel: string) => {
    const query = new URLSearchParams({ ...call.query, page: String(page) });
    return `<${call.repository.site.api}${call.requestPath}?${query}>; rel="${rel}"`;
  };
  const links: string[] = [];
  if (number > 1) links.push(link(Math.min(number - 1, last), 'prev'));
  if (number < last) links.push(link(number + 1, 'next'), link(last, 'last'));
  if (number > 1) links.push(link(1, 'first'));
  return {
    page: items.slice((number - 1) * perPage, number * perPage),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  };
}
