import { handler as price } from './index.mjs';

/** The sample function, several times in one call. */
export const handler = async ({ orders = 1, ...order }) => {
  let last;
  for (let i = 0; i < orders; i++) last = await price(order);
  return last;
};
