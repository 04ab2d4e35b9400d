// R5: 2, 8 and 32 processes publish, move aliases, collect and read at once; what they saw is held against the one history that the log tells.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { committedLog, verifyProblems } from "./harness/state.mjs";
import { workFolder } from "./harness/trials.mjs";

/** Processes to rounds. */
const ROUNDS = { 2: 200, 8: 100, 32: 50 };

export async function measure({ build, product, short, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  try {
    for (const [processes, rounds] of Object.entries(short ? { 2: 3, 8: 2 } : ROUNDS)) {
      const counted = await crowd({ build, product, work: work.folder, processes: Number(processes), rounds });
      result.tried += rounds;
      result.passed += rounds - counted.failures.length;
      result.failures.push(...counted.failures);
      log(
        `${processes} processes, ${rounds} rounds: ${counted.writes} writes, ${counted.reads} reads, ${counted.lines} lines of the log`,
      );
    }
  } finally {
    await work.remove();
  }
  return result;
}

async function crowd({ build, product, work, processes, rounds }) {
  const children = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, "harness", "worker.mjs"), [build]),
  );
  const counted = { failures: [], writes: 0, reads: 0, lines: 0 };
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    for (let round = 0; round < rounds; round += 1) {
      const root = join(work, `${processes}-${round}`);
      await product.openRegistry(root, { create: true });
      const reports = await Promise.all(
        children.map(async (child, number) => {
          child.send({ root, number, round });
          return (await once(child, "message"))[0];
        }),
      );
      const { complaints, lines } = await judge(product, root, reports);
      counted.lines += lines;
      counted.writes += reports.flatMap(({ writes }) => writes).length;
      counted.reads += reports.flatMap(({ reads }) => reads).length;
      if (complaints.length > 0)
        counted.failures.push(`${processes} processes, round ${round}: ${complaints.slice(0, 5).join("; ")}`);
      await rm(root, { recursive: true, force: true });
    }
  } finally {
    for (const child of children) child.disconnect();
  }
  return counted;
}

/** Every reported move is in the log once, in an order that fits the clock; every reader saw a state that the log passes through at that time. */
async function judge(product, root, reports) {
  const index = JSON.parse(await readFile(join(root, "index.json"), "utf8"));
  const lines = (await committedLog(root, index)).map((line) => JSON.parse(line));
  const complaints = reports.flatMap(({ failures }) => failures);
  const writes = reports.flatMap((report) => report.writes);
  const moves = writes.filter(({ moved }) => moved);
  for (const { reason } of moves)
    if (lines.filter((line) => line.reason === reason).length !== 1) complaints.push(`lost update: ${reason}`);
  complaints.push(...disorder(lines, writes), ...brokenMoves(lines));
  for (const report of reports) complaints.push(...impossibleReads(lines, writes, report.reads));
  const last = states(lines).at(-1);
  const models = await (await product.openRegistry(root)).list();
  const now = Object.fromEntries(
    models.flatMap(({ name, aliases }) =>
      Object.entries(aliases).map(([alias, digest]) => [`${name}:${alias}`, digest]),
    ),
  );
  if (!same(now, last)) complaints.push("the index is not what the log ends with");
  complaints.push(...(await verifyProblems(product, { root })));
  return { complaints, lines: lines.length };
}

/** A line before another whose writer had come back before the first one's writer began. */
function disorder(lines, writes) {
  const times = new Map(writes.map((write) => [write.reason, write]));
  const complaints = [];
  let latestStart = 0n;
  for (const { reason } of lines) {
    const write = times.get(reason);
    if (write === undefined) continue;
    if (BigInt(write.end) < latestStart) complaints.push(`out of order: ${reason}`);
    if (BigInt(write.start) > latestStart) latestStart = BigInt(write.start);
  }
  return complaints;
}

/** Each move of an alias starts where the move before ended. */
function brokenMoves(lines) {
  const at = {};
  return lines.flatMap(({ name, alias, from, to }) => {
    if (alias === null) return [];
    const key = `${name}:${alias}`;
    const sound = (at[key] ?? null) === from;
    at[key] = to;
    return sound ? [] : [`${key} moved from where it was not`];
  });
}

/** Aliases after each number of lines. */
function states(lines) {
  const all = [{}];
  for (const { name, alias, to } of lines)
    all.push(alias === null ? all.at(-1) : { ...all.at(-1), [`${name}:${alias}`]: to });
  return all;
}

/** Reads of one process: each fits a state, between writes that had ended before it and writes that had begun, and never an earlier one than before. */
function impossibleReads(lines, writes, reads) {
  const all = states(lines);
  const times = new Map(writes.map((write) => [write.reason, write]));
  let earliest = 0;
  return reads.flatMap(({ start, end, aliases }) => {
    let [first, last] = [earliest, all.length - 1];
    for (const [number, { reason }] of lines.entries()) {
      const write = times.get(reason);
      if (write === undefined) continue;
      if (BigInt(write.end) < BigInt(start)) first = Math.max(first, number + 1);
      if (BigInt(write.start) > BigInt(end)) last = Math.min(last, number);
    }
    for (let number = first; number <= last; number += 1)
      if (same(all[number], aliases)) {
        earliest = number;
        return [];
      }
    return [`a reader saw what never was: ${JSON.stringify(aliases).slice(0, 200)}`];
  });
}

function same(left, right) {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}
