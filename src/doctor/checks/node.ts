// Is this Node new enough, and has this platform binaries of the pinned packages?
import { packageDescription } from "../../environment/package-root.js";
import { requireSupportedPlatform } from "../../environment/platform.js";
import { RerankTuneError } from "../../errors.js";
import { type Check, type Finding, failure, ok } from "../check.js";

export const nodeCheck: Check = {
  name: "node",
  run: async () => [nodeVersion(process.versions.node), platform()],
};

/** @param version such as `20.19.0`. */
export function nodeVersion(version: string): Finding {
  const wanted = packageDescription().engines.node.replace(">=", "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return enough
    ? ok(`Node ${version}`)
    : failure(`Node ${version} is too old; ${wanted} is the oldest`, "install Node 22 from https://nodejs.org");
}

function platform(): Finding {
  const name = `${process.platform}-${process.arch}`;
  try {
    requireSupportedPlatform();
    return ok(`platform ${name}`);
  } catch (error) {
    if (error instanceof RerankTuneError) return failure(error.message, error.hint);
    throw error;
  }
}
