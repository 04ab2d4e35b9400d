// What tells a process from a later one with the same number: the boot of its machine and the time it was started. Linux only; elsewhere nothing is known.
import { readFileSync } from "node:fs";

/** Of the machine's present boot; undefined where it cannot be read. */
export function bootId(): string | undefined {
  return textOf("/proc/sys/kernel/random/boot_id")?.trim();
}

/** Clock ticks since boot at which a process was started: field 22 of `/proc/PID/stat`, see proc(5). Undefined where it cannot be read. */
export function startOf(pid: number): string | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  // the second field is the command in parentheses and may hold anything
  return text
    ?.slice(text.lastIndexOf(")") + 1)
    .trim()
    .split(" ")[19];
}

/** Whether a process of this machine has the number now; one that may not be asked is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // another system, or no such process
  }
}
