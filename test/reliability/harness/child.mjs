// Runs one operation in a process of its own, for strace to count, fail or kill its calls. Starts when a line comes on standard input.
import { once } from "node:events";
import { loadProduct } from "./build.mjs";
import { operations } from "./operations.mjs";
import { makePlace } from "./versions.mjs";

const [build, name, folder, sources] = process.argv.slice(2);
const product = await loadProduct(build, operations[name].parts ?? []);
const place = await makePlace(folder, sources);
process.stdout.write(`${JSON.stringify({ threads: await globalThis.poolThread })}\n`);
await once(process.stdin, "data");
try {
  await operations[name].run(product, place);
  process.stdout.write(`${JSON.stringify({ done: true })}\n`);
  process.exit(0);
} catch (thrown) {
  // as the command line does with what a command throws
  const error = product.fromFileSystemError(thrown, folder) ?? thrown;
  const named = error instanceof product.RerankTuneError;
  const { code, message, hint } = error;
  process.stdout.write(`${JSON.stringify({ named, code, message, hint })}\n`);
  process.exit(named ? error.exitCode : 1);
}
