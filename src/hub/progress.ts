// Bytes that arrived as progress events, few enough to read. Pure but for the clock.
import type { StageEvent } from "../events.js";
import type { RemoteFile } from "./download.js";

const EVERY_MS = 250;

/** @returns a function to call with how many bytes of a file are here. */
export function progressOf(
  files: readonly RemoteFile[],
  emit: (event: StageEvent) => void,
): (path: string, bytes: number) => void {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const here = new Map<string, number>();
  let told = Number.NEGATIVE_INFINITY;
  return (path, bytes) => {
    here.set(path, bytes);
    const completed = [...here.values()].reduce((sum, count) => sum + count, 0);
    const now = performance.now();
    if (now - told < EVERY_MS && completed < total) return;
    told = now;
    emit({ type: "progress", completed, total, unit: "bytes" });
  };
}
