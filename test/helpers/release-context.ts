// What a destination gets in tests: an environment of its own without credentials, and its events kept.
import { join } from "node:path";
import type { DestinationContext } from "../../src/destinations/index.js";
import type { StageEvent } from "../../src/events.js";

/** @param folder takes the place of the home folder and of the tool's cache. */
export function releaseContext(
  folder: string,
  variables: NodeJS.ProcessEnv = {},
): DestinationContext & { events: StageEvent[] } {
  const events: StageEvent[] = [];
  const own = { HOME: folder, RERANK_TUNE_HOME: join(folder, "cache"), PATH: process.env.PATH, ...variables };
  return {
    variables: own,
    signal: new AbortController().signal,
    emit: (event) => void events.push(event),
    now: () => new Date("2026-01-02T03:04:05Z"),
    events,
  };
}
