// The product compiled to plain JavaScript, since the operations run in processes of their own.
import { join } from "node:path";

export { compileSource as buildSource } from "../../helpers/compiled-source.js";

/** The parts of a build that the harness works with. */
export async function loadProduct(folder) {
  const [registry, errors, lock, format] = await Promise.all(
    ["registry/index.js", "errors.js", "artifacts/lock.js", "registry/format.js"].map(
      (path) => import(join(folder, path)),
    ),
  );
  return { ...registry, ...errors, ...lock, ...format };
}
