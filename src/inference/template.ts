// The templates of a tokenizer.json: where the special tokens and the texts go. Reads JSON; tokenizes nothing.

/** One place of the template: a fixed token, or all tokens of a side. */
export type TemplatePart = { ids: number[]; typeId: number } | { side: "query" | "passage"; typeId: number };

type TemplateStep =
  | { SpecialToken: { id: string; type_id: number } }
  | { Sequence: { id: "A" | "B"; type_id: number } };

interface PostProcessor {
  type: string;
  single?: TemplateStep[];
  pair?: TemplateStep[];
  special_tokens?: Record<string, { ids: number[] }>;
  cls?: [string, number];
  sep?: [string, number];
  processors?: PostProcessor[];
}

/** Without a template the texts stand in a row, as in Rust. */
const BARE: TemplatePart[] = [
  { side: "query", typeId: 0 },
  { side: "passage", typeId: 1 },
];

/**
 * Reads the `post_processor` of a tokenizer.json: how it joins a pair.
 * @throws Error for a kind that is not known; the caller says which file it was.
 */
export function pairTemplate(processor: unknown): TemplatePart[] {
  return readTemplate(processor as PostProcessor | null, "pair") ?? BARE;
}

/** The same for a single text, whose place is the query's. */
export function textTemplate(processor: unknown): TemplatePart[] {
  return readTemplate(processor as PostProcessor | null, "single") ?? BARE.slice(0, 1);
}

/** Number of special tokens a template always adds. */
export function specialTokenCount(template: readonly TemplatePart[]): number {
  return template.reduce((count, part) => count + ("ids" in part ? part.ids.length : 0), 0);
}

type Form = "single" | "pair";

function readTemplate(processor: PostProcessor | null, form: Form): TemplatePart[] | undefined {
  switch (processor?.type) {
    case undefined:
    case "ByteLevel": // only offsets, no tokens
      return undefined;
    case "TemplateProcessing":
      return fromTemplate(processor, form);
    case "BertProcessing":
      return builtIn(processor, form, 1, 1);
    case "RobertaProcessing":
      return builtIn(processor, form, 2, 0);
    case "Sequence":
      return (processor.processors ?? [])
        .map((inner) => readTemplate(inner, form))
        .find((template) => template !== undefined);
    default:
      throw new Error(`unknown post_processor ${JSON.stringify(processor?.type)}`);
  }
}

function fromTemplate(processor: PostProcessor, form: Form): TemplatePart[] {
  return (processor[form] ?? []).map((part) => {
    if ("Sequence" in part)
      return { side: part.Sequence.id === "A" ? "query" : "passage", typeId: part.Sequence.type_id };
    const ids = processor.special_tokens?.[part.SpecialToken.id]?.ids;
    if (ids === undefined)
      throw new Error(`the template names ${JSON.stringify(part.SpecialToken.id)} but does not define it`);
    return { ids, typeId: part.SpecialToken.type_id };
  });
}

/** The two built-in forms: start, query, separator; for a pair one or two of these, passage, separator. */
function builtIn(processor: PostProcessor, form: Form, separators: number, passageType: number): TemplatePart[] {
  const [start, separator] = [processor.cls?.[1], processor.sep?.[1]];
  if (start === undefined || separator === undefined) throw new Error(`${processor.type} lacks cls or sep`);
  const query: TemplatePart[] = [
    { ids: [start], typeId: 0 },
    { side: "query", typeId: 0 },
  ];
  if (form === "single") return [...query, { ids: [separator], typeId: 0 }];
  return [
    ...query,
    { ids: new Array<number>(separators).fill(separator), typeId: 0 },
    { side: "passage", typeId: passageType },
    { ids: [separator], typeId: passageType },
  ];
}
