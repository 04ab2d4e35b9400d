import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { killAndRerun, roundTrips } from "../helpers/oci-leg.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";

/** `npm run bench -- oci_leg` runs the same with large files. */
const isFull = process.env.RERANK_TUNE_OCI_LEG === "full";
const ARTEFACT_BYTES = isFull ? 20_000_000 : 50_000;
const ARTEFACTS = isFull ? 10 : 3;
const KILLS = isFull ? [0.05, 0.25, 0.5, 0.75, 0.95] : [0.25, 0.75];
const PUSH_BYTES = isFull ? 100_000_000 : 8_000_000;
const tell = (line: string): void => {
  if (isFull) console.log(`oci leg: ${line}`);
};
const MB = 1e6;

describe("the OCI leg", () => {
  test("brings artefacts to docker-registry and back, by us and by skopeo, bit for bit", {
    timeout: 1_800_000,
  }, async () => {
    const found = await roundTrips(await temporaryFolder(), ARTEFACTS, ARTEFACT_BYTES);
    const { oursToSkopeo, oursToOurs, skopeoToOurs, digests, referrers } = found;
    tell(
      `${found.artefacts} artefacts, ${(found.bytes / MB).toFixed(0)} MB sent, ${digests} with the same digest everywhere`,
    );
    tell(
      `ours to skopeo: ${oursToSkopeo.equal} of ${oursToSkopeo.all} blobs equal; ours and back: ${oursToOurs.equal} of ${oursToOurs.all}; skopeo to ours: ${skopeoToOurs.equal} of ${skopeoToOurs.all}`,
    );
    tell(`referrers: ${referrers.back} of ${referrers.sent} came back`);
    expect(digests).toBe(ARTEFACTS);
    const reports = Math.floor(ARTEFACTS / 3) * 3;
    expect(referrers).toEqual({ sent: reports, back: reports });
    for (const { equal, all } of [oursToSkopeo, oursToOurs, skopeoToOurs]) {
      expect(equal).toBe(all);
      expect(all).toBe(7 * ARTEFACTS);
    }
  });

  test.each(KILLS)(
    "is carried to its end after the registry was killed at %f of the bytes",
    { timeout: 600_000 },
    async (share) => {
      const kill = await killAndRerun(join(await temporaryFolder(), "kill"), share, PUSH_BYTES);
      const mb = (bytes: number) => (bytes / MB).toFixed(1);
      tell(
        `killed at ${(100 * share).toFixed(0)} %: ${mb(kill.sent)} of ${mb(kill.all)} MB sent, ${mb(kill.stored)} MB stored as whole blobs; the next run sent ${mb(kill.sentAgain)} MB, of stored blobs ${kill.storedSentAgain} bytes`,
      );
      expect(kill).toMatchObject({ storedSentAgain: 0, tagBefore: false, sameDigest: true, clean: true });
      expect(kill.sentAgain).toBeGreaterThan(0);
      expect(kill.sentAgain).toBeLessThanOrEqual(kill.all - kill.stored);
    },
  );
});
