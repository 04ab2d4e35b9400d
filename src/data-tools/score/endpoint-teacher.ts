// A teacher behind a reranking server: how its two interfaces are asked, and what their answers mean.
import { z } from "zod";
import { canonicalJson, hashText } from "../../artifacts/hash.js";
import { Endpoint } from "../endpoint/endpoint.js";
import { endpointFailure, unexpectedReply } from "../endpoint/failures.js";
import type { EndpointTeacherOptions, RerankApi, ScoreContext } from "./options.js";
import type { Teacher, TeacherGroup } from "./teacher.js";

interface Api {
  /** The body of a request for all scores of a batch. */
  request(query: string, texts: readonly string[], model: string | undefined): object;
  /** The reply as places in the batch with their scores, in any order. */
  reply: z.ZodType<{ index: number; score: number }[]>;
  /** What the reply should have been, for errors. */
  says: string;
}

const place = z.int().min(0);

const APIS: Record<RerankApi, Api> = {
  // huggingface.github.io/text-embeddings-inference: /rerank; truncate is off by default, and a long passage then fails its batch.
  tei: {
    request: (query, texts) => ({ query, texts, raw_scores: true, truncate: true }),
    reply: z.array(z.object({ index: place, score: z.number() })),
    says: "a list of index and score (TEI /rerank)",
  },
  // docs.cohere.com/reference/rerank, jina.ai/reranker; top_n because some servers leave out the lowest.
  rerank: {
    request: (query, texts, model) => ({
      ...(model === undefined ? {} : { model }),
      query,
      documents: texts,
      top_n: texts.length,
    }),
    reply: z
      .object({ results: z.array(z.object({ index: place, relevance_score: z.number() })) })
      .transform(({ results }) => results.map(({ index, relevance_score }) => ({ index, score: relevance_score }))),
    says: "`results` of index and relevance_score (/v1/rerank)",
  },
};

/** @throws RerankTuneError USAGE for a remote host that was not allowed and for a token that is not there. */
export async function endpointTeacher(options: EndpointTeacherOptions, context: ScoreContext): Promise<Teacher> {
  const { api, model, concurrency, toLogits } = options;
  const endpoint = await Endpoint.open(options.endpoint, context);
  const { href } = options.endpoint.address.url;
  return {
    name: endpoint.shown,
    identity: { teacher: hashText(canonicalJson({ href, api, model, toLogits })) },
    block: 1,
    concurrency,
    score: async (groups, signal) => {
      const scores: number[][] = [];
      for (const group of groups) scores.push(await scoreGroup(group, endpoint, options, signal));
      return scores;
    },
    close: async () => undefined,
  };
}

async function scoreGroup(
  { query, passages }: TeacherGroup,
  endpoint: Endpoint,
  { api, model, batch, toLogits }: EndpointTeacherOptions,
  signal: AbortSignal,
): Promise<number[]> {
  const scores: number[] = [];
  for (let from = 0; from < passages.length; from += batch) {
    const texts = passages.slice(from, from + batch);
    const reply = await endpoint.post(APIS[api].request(query, texts, model), signal);
    scores.push(...scoresOf(api, reply, texts.length, endpoint.shown));
  }
  return toLogits ? scores.map((score) => logit(score, endpoint.shown)) : scores;
}

/** Every place of the batch exactly once. @throws RerankTuneError ENDPOINT_FAILED. */
function scoresOf(api: RerankApi, reply: unknown, count: number, shown: string): number[] {
  const parsed = APIS[api].reply.safeParse(reply);
  if (!parsed.success) throw unexpectedReply(shown, APIS[api].says);
  const byPlace = new Map(parsed.data.map(({ index, score }) => [index, score]));
  const scores = Array.from({ length: count }, (_, index) => byPlace.get(index));
  if (parsed.data.length !== count || scores.some((score) => score === undefined))
    throw unexpectedReply(shown, `one score for each of ${count} passages`);
  return scores as number[];
}

/** 1e-6 and its complement, about -13.8 and 13.8: beyond that a rounded probability says nothing about the logit. */
const EDGE = 1e-6;

function logit(probability: number, shown: string): number {
  if (probability < 0 || probability > 1)
    throw endpointFailure(`${shown} gave a score outside 0 to 1, which is no probability.`, "leave --to-logits out");
  const inside = Math.min(Math.max(probability, EDGE), 1 - EDGE);
  return Number(Math.log(inside / (1 - inside)).toPrecision(9));
}
