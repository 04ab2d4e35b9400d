// R2: what a power cut may leave. The calls of a real run are replayed up to every point, with everything that was not flushed lost, cut, zeroed or reordered.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { changesOf, crashed, fingerprint, materialize, readDisk } from "./harness/disk.mjs";
import { operations } from "./harness/operations.mjs";
import { generator } from "./harness/random.mjs";
import { parseTrace } from "./harness/trace.mjs";
import { runTraced } from "./harness/traced.mjs";
import { checkAfterCut, prepareOperation, workFolder } from "./harness/trials.mjs";
import { makePlace } from "./harness/versions.mjs";

/** Random fates tried at every point, beside the systematic ones. */
const RANDOM_FATES = 12;

export async function measure({ build, product, short, named, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  try {
    for (const name of named ?? (short ? ["secondVersion", "updateFolders"] : Object.keys(operations))) {
      const operation = await prepareOperation(product, work.folder, name);
      const before = result.tried;
      await replay({ build, product, operation, work: work.folder, every: short ? 31 : 1, result });
      log(`${name}: ${result.tried - before} distinct states of the disk`);
    }
  } finally {
    await work.remove();
  }
  return result;
}

async function replay({ build, product, operation, work, every, result }) {
  const inodes = await readDisk(operation.original.folder);
  const place = await operation.trial();
  const { trace, code } = await runTraced({ build, operation: operation.name, place });
  if (code !== 0) throw new Error(`${operation.name} fails without any fault`);
  const calls = parseTrace(trace).filter(({ wake }) => !wake);
  const run = changesOf(inodes, calls, place.folder);
  const whole = fingerprint(crashed(inodes, run, calls.length, () => "kept"));
  if (whole !== fingerprint(await readDisk(place.folder)))
    throw new Error(`${operation.name}: the model of the disk is not what is on the disk`);
  const seen = new Set();
  for (let point = 0; point <= calls.length; point += 1) {
    if (point % every !== 0 && point !== calls.length) continue;
    for (const fate of fates(run.changes, point, `${operation.name}${point}`)) {
      const disk = crashed(inodes, run, point, fate);
      const print = `${point === calls.length}${fingerprint(disk)}`;
      if (seen.has(print)) continue;
      seen.add(print);
      const trial = await makePlace(join(work, operation.name, "disks", String(seen.size)), operation.original.sources);
      await materialize(disk, trial.folder);
      const { complaints } = await checkAfterCut(product, operation, trial, point === calls.length);
      result.tried += 1;
      if (complaints.length === 0) result.passed += 1;
      else result.failures.push(`${operation.name}, after call ${point} of ${calls.length}: ${complaints.join("; ")}`);
      await rm(trial.folder, { recursive: true, force: true });
    }
  }
}

/** Ways in which the changes that are not safe at a point may end: all alike, by kind, each alone, and at random. */
function fates(changes, point, seed) {
  const pending = changes.filter(({ call, safe }) => call < point && safe >= point);
  const names = ({ kind }) => kind === "entry" || kind === "rename";
  const all = ["kept", "lost", "half", "zeros"].map(
    (outcome) => (change) => (change.kind === "data" || outcome !== "zeros" ? outcome : "kept"),
  );
  const byKind = [
    (change) => (names(change) ? "kept" : "lost"),
    (change) => (names(change) ? "lost" : "kept"),
    (change) => (change.kind === "data" ? "half" : "kept"),
  ];
  const alone = pending.flatMap((one) => [
    (change) => (change === one ? "lost" : "kept"),
    (change) => (change === one ? "kept" : "lost"),
  ]);
  const random = generator([...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7));
  const drawn = Array.from({ length: pending.length > 1 ? RANDOM_FATES : 0 }, () => {
    const outcomes = new Map(
      pending.map((change) => [
        change,
        random.pick(change.kind === "data" ? ["kept", "lost", "half", "zeros"] : ["kept", "lost"]),
      ]),
    );
    return (change) => outcomes.get(change) ?? "kept";
  });
  return [...all, ...byKind, ...alone, ...drawn];
}
