// The choice between a teacher that runs here and one behind an address.
import type { EndpointTeacherOptions, LocalTeacherOptions, ScoreContext, TeacherOptions } from "./options.js";
import type { Teacher } from "./teacher.js";

/** @throws RerankTuneError MODEL_NOT_FOUND, USAGE. Nothing costly is started before the first score. */
export async function openTeacher(options: TeacherOptions, context: ScoreContext): Promise<Teacher> {
  if (isLocal(options)) return await (await import("./local-teacher.js")).localTeacher(options, context);
  return await (await import("./endpoint-teacher.js")).endpointTeacher(options, context);
}

function isLocal(options: LocalTeacherOptions | EndpointTeacherOptions): options is LocalTeacherOptions {
  return "folder" in options;
}
