// A package that verify has judged, ready for the publish stage, in a temporary folder.
import { join } from "node:path";
import type { StageInputs } from "../../src/pipeline/stage.js";
import { packageStage } from "../../src/stages/package/index.js";
import { publish } from "../../src/stages/publish/index.js";
import type { PublishOptions } from "../../src/stages/publish/schema.js";
import type { VerifyOutput } from "../../src/stages/verify/schema.js";
import { context, writeUpstream } from "./fake-package.js";
import { verified } from "./fake-verified.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface Judged {
  report?: VerifyOutput;
  /** Further files of the artifacts that the package is made from. */
  files?: Record<string, string>;
  recipe?: Record<string, unknown>;
  options?: Partial<PublishOptions>;
}

export async function publishable({ report = verified(), files = {}, recipe = {}, options: changes = {} }: Judged) {
  const root = await temporaryFolder();
  const { inputs } = await writeUpstream(root, { files });
  const dir = join(root, "package");
  const options: PublishOptions = {
    name: "tiny",
    alias: "latest",
    against_verdict: false,
    registry_dir: join(root, "registry"),
    recipe_name: "tiny",
    license: "mit",
    languages: ["en"],
    base_identity: "hub:owner/base@0123",
    ...changes,
  };
  const { base_identity } = options;
  const output = await packageStage.run(context(dir), { recipe, base_identity, max_length: 96 }, inputs);
  const stages: StageInputs<"package" | "verify"> = {
    package: { dir, output, digest: "p" },
    verify: { dir: join(root, "verify"), output: report, digest: "v" },
  };
  const publishing = context(join(root, "publish"));
  return { root, options, run: () => publish.run(publishing, options, stages), stages, events: publishing.events };
}
