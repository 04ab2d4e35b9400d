// The product compiled to plain JavaScript, since the operations run in processes of their own.
import { join } from "node:path";

export { compileSource as buildSource } from "../../helpers/compiled-source.js";

const CORE = ["registry/index.js", "errors.js", "artifacts/lock.js", "registry/format.js"];
/** What some operations need beside it; loaded only for them, since every trial is a process. */
const PARTS = {
  views: ["registry/views/index.js"],
  signing: [
    "commands/sign.js",
    "commands/verify-signature.js",
    ...["bundle", "keys", "key-ring", "provenance", "sbom", "test-result"].map((name) => `evidence/${name}.js`),
  ],
  mirror: ["destinations/folder/index.js"],
  oci: ["destinations/oci/fetch.js"],
};

/** The product as the harness works with it. @param parts names of `PARTS`; all of them when left out. */
export async function loadProduct(folder, parts = Object.keys(PARTS)) {
  const paths = [...CORE, ...parts.flatMap((name) => PARTS[name])];
  const loaded = await Promise.all(paths.map((path) => import(join(folder, path))));
  return Object.assign({}, ...loaded);
}
