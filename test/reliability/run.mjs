// The measurements R1 to R8 on the local registry: `node test/reliability/run.mjs [R1 R2 ...] [--short] [--operations NAME,NAME] [--build FOLDER]`. Exits with 1 on any failure.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildSource, loadProduct } from "./harness/build.mjs";

const MEASUREMENTS = {
  R1: ["killed at every call on a file", "./kills.mjs"],
  R2: ["lost and torn writes replayed", "./lost-writes.mjs"],
  R3: ["errors of the file system", "./errors.mjs"],
  R4: ["a full disk", "./full-disk.mjs"],
  R5: ["many processes at once", "./processes.mjs"],
  R6: ["stale and hostile locks", "./locks.mjs"],
  R7: ["tampering found by verify", "./tamper.mjs"],
  R8: ["random histories against a model", "./histories.mjs"],
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: "boolean", default: false }, build: { type: "string" }, operations: { type: "string" } },
});
process.exitCode = await main(positionals.length === 0 ? Object.keys(MEASUREMENTS) : positionals);

async function main(names) {
  const unknown = names.find((name) => !(name in MEASUREMENTS));
  if (unknown !== undefined)
    throw new Error(`${unknown} is no measurement; there are ${Object.keys(MEASUREMENTS).join(" ")}`);
  const source =
    values.build === undefined ? await buildSource() : { folder: resolve(values.build), remove: async () => undefined };
  const rows = [];
  try {
    const product = await loadProduct(source.folder);
    for (const name of names) rows.push(await measured(name, { build: source.folder, product }));
  } finally {
    await source.remove();
  }
  table(rows);
  return rows.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function measured(name, context) {
  const [what, file] = MEASUREMENTS[name];
  const started = Date.now();
  print(`${name} ${what}`);
  const { measure } = await import(file);
  const named = values.operations?.split(",");
  const options = { ...context, short: values.short, named, log: (text) => print(`  ${text}`) };
  // what cannot be measured counts as failed, and the other measurements go on
  const result = await measure(options).catch((error) => ({ tried: 1, passed: 0, failures: [error.stack] }));
  for (const failure of result.failures.slice(0, 20)) print(`  failed: ${failure}`);
  if (result.failures.length > 20) print(`  and ${result.failures.length - 20} more failures`);
  return { name, what, seconds: (Date.now() - started) / 1000, ...result };
}

function table(rows) {
  const cells = [
    ["", "what", "tried", "passed", "failed", "seconds"],
    ...rows.map(({ name, what, tried, passed, failures, seconds }) =>
      [name, what, tried, passed, failures.length, seconds.toFixed(0)].map(String),
    ),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  print("");
  for (const row of cells)
    print(
      row.map((text, column) => (column < 2 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join("  "),
    );
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
