// Sends batches to the child process a little ahead of its answers. Used by whoever owns a child; knows nothing of what is in a batch.

/** Batches sent ahead, so that the child never waits for the parent. */
const IN_FLIGHT = 2;

/** Calls `work` for every batch, a few at a time; after the first failure no further batch is begun. */
export async function eachBatch<Batch>(batches: Iterable<Batch>, work: (batch: Batch) => Promise<void>): Promise<void> {
  // The lanes share one iterator: each takes the next batch that nobody has taken.
  const waiting = batches[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    for (let next = waiting.next(); next.done !== true && !failed; next = waiting.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane)).catch((error: unknown) => {
    failed = true;
    throw error;
  });
}
