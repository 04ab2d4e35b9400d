// Rules between fields that a schema cannot say, each a named function.
import type { Problem } from "../errors.js";
import { isKnownLanguage } from "../trim/alphabet.js";
import type { Recipe } from "./schema.js";

type Rule = (recipe: Recipe) => Problem[];

/** Every violated rule. */
export function recipeRules(recipe: Recipe): Problem[] {
  return [
    exactlyOneBase,
    exactlyOneSource,
    runNeedsFile,
    groupHasNegatives,
    randomFitsNegatives,
    adaptersNeedTheirRate,
    languagesAreKnown,
    studentHasLayers,
    studentHasOneTeacher,
  ].flatMap((rule) => rule(recipe));
}

const exactlyOneBase: Rule = ({ base_model }) => {
  const given = (["path", "repo", "builtin"] as const).filter((name) => base_model[name] !== undefined);
  return given.length === 1
    ? []
    : [
        {
          path: "base_model",
          message: `needs exactly one of path, repo, builtin; has ${given.length === 0 ? "none" : given.join(" and ")}`,
        },
      ];
};

const exactlyOneSource: Rule = ({ prepare }) => {
  const given = (["source", "builtin"] as const).filter((name) => prepare[name] !== undefined);
  return given.length === 1
    ? []
    : [
        {
          path: "prepare",
          message: `needs exactly one of source, builtin; has ${given.length === 0 ? "none" : "both"}`,
        },
      ];
};

const runNeedsFile: Rule = ({ prepare }) => {
  const wanting = (["candidates", "negatives"] as const).filter((name) => prepare[name].from === "run");
  return prepare.run === undefined
    ? wanting.map((name) => ({ path: `prepare.${name}.from`, message: "is `run`, but `prepare.run` names no file" }))
    : [];
};

const groupHasNegatives: Rule = ({ prepare, train }) =>
  prepare.negatives.per_query < train.group_size - 1
    ? [
        {
          path: "prepare.negatives.per_query",
          message: `is ${prepare.negatives.per_query}, but a group of ${train.group_size} needs ${train.group_size - 1} negatives`,
        },
      ]
    : [];

const randomFitsNegatives: Rule = ({ prepare }) =>
  prepare.negatives.random > prepare.negatives.per_query
    ? [{ path: "prepare.negatives.random", message: "is more than `prepare.negatives.per_query`" }]
    : [];

/** The worker refuses it too; here it is said before anything runs (training.md §3: 5e-5 to 3e-4 for LoRA). */
const adaptersNeedTheirRate: Rule = ({ train }) =>
  train.lora !== null && train.learning_rate !== "auto" && train.learning_rate < 5e-5
    ? [
        {
          path: "train.learning_rate",
          message: `is ${train.learning_rate}, which hardly moves the adapters of \`train.lora\`; use 5e-5 to 3e-4`,
        },
      ]
    : [];

const languagesAreKnown: Rule = ({ trim }) =>
  (trim?.languages ?? []).flatMap((tag, index) =>
    isKnownLanguage(tag)
      ? []
      : [
          {
            path: `trim.languages.${index}`,
            message: `${JSON.stringify(tag)} is no language whose letters are known`,
            hint: "give tags such as de, en, pt-BR or zh-Hant",
          },
        ],
  );

const studentHasLayers: Rule = ({ train: { student } }) =>
  student !== null && (student.layers === undefined) === (student.keep === undefined)
    ? [
        {
          path: "train.student",
          message: `needs exactly one of layers, keep; has ${student.layers === undefined ? "none" : "both"}`,
        },
      ]
    : [];

/** The worker refuses these too, with what it knows of the base; here they are said before anything runs. */
const studentHasOneTeacher: Rule = ({ train }) => {
  if (train.student === null) return [];
  const refused: [path: string, present: boolean, why: string][] = [
    ["train.lora", train.lora !== null, "a student has to learn with all its weights without the layers it lost"],
    ["train.kl_to_base", train.kl_to_base > 0, "a student is held to the base already, which is its teacher"],
    [
      "train.loss",
      train.loss === "margin_mse" || train.loss === "kl",
      "learns from teacher_score in the data, but a student has the base as its teacher: that is `train.student.loss`",
    ],
  ];
  return refused.flatMap(([path, present, why]) =>
    present ? [{ path, message: `does not go with \`train.student\`: ${why}` }] : [],
  );
};
