import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { workerEventSchema } from "../../../src/worker/protocol.js";

const FOLDER = join(import.meta.dirname, "../../contract/events");
const names = readdirSync(FOLDER);

describe("the goldens of the worker protocol", () => {
  test.each(names)("%s is read and given back unchanged", (name) => {
    const golden: unknown = JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
    expect(workerEventSchema.parse(golden)).toEqual(golden);
  });

  test("every event type has a golden", () => {
    const types = workerEventSchema.options.map((option) => option.shape.type.value);
    expect(types.filter((type) => !names.includes(`${type}.json`))).toEqual([]);
  });
});
