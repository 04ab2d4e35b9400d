// `npm run bench -- NAME [arguments]`: runs bench/NAME.mjs with the Python that the tests use (RERANK_TUNE_TEST_PYTHON and its packages).
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { testEnvironment } from "../test/helpers/python-packages.mjs";

const own = import.meta.filename;
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".mjs") && join(import.meta.dirname, file) !== own)
  .map((file) => file.slice(0, -".mjs".length));
const [name, ...args] = process.argv.slice(2);

if (names.includes(name)) {
  const script = join(import.meta.dirname, `${name}.mjs`);
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: "inherit", env: testEnvironment() });
  process.exitCode = status ?? 1;
} else {
  process.stderr.write(
    `error[USAGE]: there is no bench "${name ?? ""}"\n\nhint: npm run bench -- ${names.join(" | ")}\n`,
  );
  process.exitCode = 2;
}
