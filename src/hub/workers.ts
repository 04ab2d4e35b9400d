// Several workers that share one list of work, and end together.

/**
 * Waits for every worker even when one throws, so that nothing goes on behind the caller's back. Throws what failed first: the
 * others may fail after it only because they were stopped.
 * @param onFailure is called at the first failure, such as to stop the others.
 */
export async function runWorkers(
  count: number,
  work: () => Promise<void>,
  onFailure: () => void = () => undefined,
): Promise<void> {
  let failure: { error: unknown } | undefined;
  const watched = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (failure !== undefined) return;
      failure = { error };
      onFailure();
    }
  };
  await Promise.all(Array.from({ length: count }, watched));
  if (failure !== undefined) throw failure.error;
}
