// What a whole environment says of itself.
import { z } from "zod";

export const STAMP_FILE = "ready.json";

/** Written last into a whole environment; without it the folder is rubbish of an interrupted build. */
export const readyStampSchema = z.object({
  schema: z.literal(1),
  python: z.string().describe("Full version of the interpreter."),
  base: z.string().describe("Interpreter the environment was made with."),
  requested: z.string().nullable().describe("RERANK_TUNE_PYTHON of the build."),
  torch: z.string().describe("Installed torch with its local suffix."),
  built: z.string(),
});
export type ReadyStamp = z.infer<typeof readyStampSchema>;
