/**
 * The values of all, when all have ended: whoever goes on leaves nothing in flight behind its back.
 * @throws the first error, in the order given
 */
export async function settleAll<T>(promises: Iterable<Promise<T>>): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
