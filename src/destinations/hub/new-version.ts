// Points the card of a superseded repository to the new one, with one commit on its main that changes nothing else.
import type { HubWriter } from "../../hub/patient-fetch.js";
import { fileText, referencesOf, sendCommit } from "../../hub/write-calls.js";
import { pauseToLook } from "./bring-branch.js";
import { withNewVersion } from "./card-schema.js";
import type { HubTarget } from "./target.js";

/** @param card what README.md there becomes; made anew where somebody changed it since. */
export async function bringNewVersion(hub: HubWriter, { repo, replaces = "" }: HubTarget, card: string): Promise<void> {
  let wanted: string | undefined = card;
  for (let attempt = 1; wanted !== undefined; attempt += 1) {
    const parent = (await referencesOf(hub, replaces)).branches.get("main") ?? "";
    const now = await fileText(hub, replaces, parent, "README.md");
    wanted = withNewVersion(now ?? "", repo);
    if (wanted === undefined) return;
    const content = Buffer.from(wanted).toString("base64");
    const operations = [{ key: "file", value: { path: "README.md", content, encoding: "base64" } }];
    try {
      await sendCommit(hub, replaces, {
        branch: "main",
        summary: `Superseded by ${repo}`,
        description: "new_version in the card, set by rerank-tune",
        parent,
        operations,
      });
      return;
    } catch (error) {
      await pauseToLook(hub, attempt, error);
    }
  }
}
