// Beginning and ending to listen.
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { RerankTuneError } from "../errors.js";

/** @throws RerankTuneError USAGE when the address is taken, not ours or not allowed. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
  } catch (error) {
    throw new RerankTuneError({
      code: "USAGE",
      message: `${host} port ${port} cannot be listened on (${(error as NodeJS.ErrnoException).code}).`,
      hint: "name another address with --host and --port; --port 0 takes a free port",
      cause: error,
    });
  }
}

/** Takes no new connections; what is under way has `graceMs` to end. */
export async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
  server.closeIdleConnections();
  const controller = new AbortController();
  const late = sleep(graceMs, false, { signal: controller.signal }).catch(() => false);
  if (!(await Promise.race([closed, late]))) server.closeAllConnections();
  controller.abort();
  await closed;
}
