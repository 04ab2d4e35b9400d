// `npm run bench -- bge_shape [arguments]`: hands over to bge_shape.py with the Python that the tests use.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const python = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
const script = join(import.meta.dirname, "bge_shape.py");
process.exitCode = spawnSync(python, [script, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1;
