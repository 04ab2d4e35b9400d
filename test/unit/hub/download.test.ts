import { createHash } from "node:crypto";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import { bytesLeft, type Download, downloadFile } from "../../../src/hub/download.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const BYTES = "weights";
const FILE = {
  path: "model.onnx",
  size: BYTES.length,
  digest: { algorithm: "sha256" as const, hex: createHash("sha256").update(BYTES).digest("hex") },
};

function download(fetched: typeof fetch): Download {
  return {
    access: {
      fetch: fetched,
      signal: new AbortController().signal,
      patience: { attempts: 3, pauseMs: 1, silenceMs: 500 },
    },
    subject: "team/model",
    address: (path) => `https://hub.test/${path}`,
    refused: () => new RerankTuneError({ code: "HUB_NOT_FOUND", message: "no", hint: "no" }),
    settings: "HF_ENDPOINT",
    onProgress: () => undefined,
  };
}

describe("a download", () => {
  test.skipIf(process.platform !== "linux")(
    "onto a full disk says so at once, and does not blame the network",
    async () => {
      const target = join(await temporaryFolder(), "model.onnx");
      await symlink("/dev/full", `${target}.part`);
      let asked = 0;
      const fetched: typeof fetch = async () => {
        asked += 1;
        return new Response(BYTES);
      };
      await expect(downloadFile(download(fetched), FILE, target)).rejects.toMatchObject({ code: "DISK_FULL" });
      expect(asked).toBe(1);
    },
  );

  test("that the network cuts off is tried again", async () => {
    const target = join(await temporaryFolder(), "model.onnx");
    let asked = 0;
    const fetched: typeof fetch = async () => {
      asked += 1;
      if (asked === 1) throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "EACCES" }) });
      return new Response(BYTES);
    };
    await downloadFile(download(fetched), FILE, target);
    expect(asked).toBe(2);
  });
});

test("what an earlier try brought needs no room again", async () => {
  const target = join(await temporaryFolder(), "model.onnx");
  expect(await bytesLeft(target, 10)).toBe(10);
  await writeFile(`${target}.part`, "four");
  expect(await bytesLeft(target, 10)).toBe(6);
  expect(await bytesLeft(target, 3)).toBe(0);
  await writeFile(target, "ten bytes.");
  expect(await bytesLeft(target, 10)).toBe(0);
});
