// R4: real small disks that fill up. Needs the right to mount; without it nothing is tried, and it says so.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tree, verifyProblems } from "./harness/state.mjs";
import { workFolder } from "./harness/trials.mjs";

/** Kilobytes of the disk. The first version takes about 100, the second about 400 more. */
const SIZES = [120, 160, 220, 280, 340, 400, 460, 520, 580, 640];

export async function measure({ product, short, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  const disk = join(work.folder, "disk");
  await mkdir(disk);
  const reached = {};
  try {
    for (const size of short ? [200] : SIZES) {
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}k`, "tmpfs", disk]);
      if (mounted.status !== 0) {
        log("not tried: mounting is not permitted here");
        break;
      }
      try {
        const { complaints, code } = await fill(product, disk);
        reached[code] = (reached[code] ?? 0) + 1;
        result.tried += 1;
        if (complaints.length === 0) result.passed += 1;
        else result.failures.push(`${size} kB: ${complaints.join("; ")}`);
      } finally {
        execFileSync("umount", [disk]);
      }
    }
  } finally {
    await work.remove();
  }
  log(
    Object.entries(reached)
      .map(([code, count]) => `${code}: ${count}`)
      .join(", "),
  );
  return result;
}

const request = (letter, length) => ({
  name: "reranker",
  alias: "latest",
  files: Array.from({ length: 4 }, (_, index) => ({
    path: `part${index}.onnx`,
    source: { content: `${letter}${index}`.repeat(length / 2) },
  })),
  config: { descriptor: {}, config: {} },
});

/** Publishes a version that fits, one that does not, makes room, and publishes again. */
async function fill(product, disk) {
  const place = { root: join(disk, "registry") };
  const ballast = join(disk, "ballast");
  const complaints = [];
  const registry = await product.openRegistry(place.root, { create: true });
  await writeFile(ballast, Buffer.alloc(30_000));
  await registry.publishVersion(request("a", 4000));
  const before = await registry.list();
  const code = await registry.publishVersion(request("b", 120_000)).then(
    () => "fitted",
    (error) => `${error.code}`,
  );
  if (code !== "DISK_FULL" && code !== "fitted") complaints.push(`the cause was called ${code}`);
  if (code !== "fitted" && JSON.stringify(await registry.list()) !== JSON.stringify(before))
    complaints.push("the state changed");
  const left = Object.keys((await tree(place.root)) ?? {}).filter((path) => /^tmp\/|\.tmp$|\.lock/.test(path));
  complaints.push(...left.map((path) => `left behind: ${path}`), ...(await verifyProblems(product, place)));
  await writeFile(ballast, "");
  await registry
    .publishVersion(request("c", 4000))
    .catch((error) => complaints.push(`with room again: ${error.message}`));
  complaints.push(...(await verifyProblems(product, place)));
  return { complaints, code };
}
