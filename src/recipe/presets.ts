// Bases with the training settings that suit them, and the hardware they want. Data alone; `init` writes recipes from it.
// Sections are those of the project's notes on training (training.md); upstream files are named where a value comes from one.
import type { z } from "zod";
import type { trainSchema } from "../stages/train/schema.js";

type TrainField = keyof z.input<typeof trainSchema>;

/** One line of a recipe's `train` section. */
export interface PresetSetting {
  field: TrainField;
  /** As it is written in the recipe. */
  yaml: string;
  /** Comment behind it: what it does, and where it comes from. */
  why: string;
}

export interface Preset {
  name: string;
  /** Repository on the Hugging Face Hub. */
  base: string;
  /** SPDX identifier of the base's licence, from its card. */
  license: string;
  /** ISO 639-1 codes of the base, for the card; empty where there are dozens, as the data then decides. */
  languages: readonly string[];
  /** What it takes to train, in a few words. */
  hardware: string;
  /** When to take it, in one sentence. */
  when: string;
  /** Part of the recipe's name where one base has several presets. */
  variant?: string;
  settings: readonly PresetSetting[];
}

const setting = (field: TrainField, yaml: string, why: string): PresetSetting => ({ field, yaml, why });

/** training.md §3, the recommended recipe for a base that already is a reranker, of 100 M parameters and more. */
const LARGE_RERANKER = [
  setting("learning_rate", "1.0e-5", "try 5e-6 and 2e-5 too; above 3e-5 large rerankers are known to collapse"),
  setting("epochs", "4", "at most: training ends early where dev falls behind, and dev chooses the weights"),
  setting("queries_per_step", "16", "not fewer than 8: steps on few queries are what collapses"),
  setting("group_size", "8", "one positive and 7 negatives; up to 16 where memory allows"),
] as const;

/** Queries and group as above (§3); the rate, and two passes at it, were measured: docs/decisions/0008. */
const SMALL_RERANKER = [
  setting("learning_rate", "auto", "by the size of the encoder: a small reranker stands more than a large one"),
  setting("epochs", "2", "a high rate needs few passes; dev chooses the weights"),
  ...LARGE_RERANKER.slice(2),
] as const;

// training.md §1.2: 512 is RAG-Retrieval's for bge-reranker-v2-m3, and FlagEmbedding's 256 + 256 for bge-reranker-base. 256 is our default.
const LENGTH_512 = setting("max_length", "512", "tokens of a pair; prepare says how many are cut");
const LENGTH_256 = setting("max_length", "256", "tokens of a pair; prepare says how many are cut. Up to 512");

export const PRESETS: readonly Preset[] = [
  {
    name: "bge-m3-full",
    base: "BAAI/bge-reranker-v2-m3",
    license: "apache-2.0",
    languages: [],
    hardware: "a GPU with 24 GB",
    when: "The best multilingual base of these, all layers trained: when you have the card and it will also serve.",
    settings: [...LARGE_RERANKER, LENGTH_512],
  },
  {
    name: "bge-m3-lora",
    base: "BAAI/bge-reranker-v2-m3",
    license: "apache-2.0",
    languages: [],
    hardware: "a GPU with 8 to 12 GB",
    when: "The same base on a small card, or when it must forget little: adapters learn less and forget less.",
    variant: "lora",
    settings: [
      // training.md §3, the LoRA column; "LoRA learns less and forgets less" (Biderman 2024) is there too.
      setting(
        "lora",
        "{ rank: 16, alpha: 32, targets: all }",
        "adapters and the head train; merged into a plain model",
      ),
      setting("learning_rate", "1.5e-4", "adapters take ten times the rate of full training: 5e-5 to 3e-4"),
      setting("epochs", "6", "at most: training ends early where dev falls behind, and dev chooses the weights"),
      setting("queries_per_step", "16", "not fewer than 8: steps on few queries are what collapses"),
      setting("group_size", "8", "one positive and 7 negatives"),
      LENGTH_512,
      setting("weight_decay", "0", "none with adapters"),
      setting("gradient_checkpointing", "true", "fits 8 GB; with 12 GB, false is about 30 % faster"), // training.md §4
    ],
  },
  {
    name: "bge-m3-flagembedding",
    base: "BAAI/bge-reranker-v2-m3",
    license: "apache-2.0",
    languages: [],
    hardware: "a GPU with 24 GB",
    when: "FlagEmbedding's published hyperparameters, to compare with; at 4 queries a step they are known to collapse, which is stopped.",
    variant: "upstream",
    // FlagOpen/FlagEmbedding, examples/finetune/reranker/README.md, "standard model" (training.md §1.2): 2 GPUs x 2 queries, fp16.
    // The guards are not settings of theirs and stay on: collapse, best weights, early stop, learning-rate warning, mixing with the base.
    settings: [
      setting("learning_rate", "6.0e-5", "theirs; above 3e-5 a warning is given, and a collapse is stopped by name"),
      setting(
        "epochs",
        "2",
        "theirs; training may end early, and dev chooses the weights, where theirs keeps the last",
      ),
      setting("queries_per_step", "4", "theirs: 2 a GPU on 2 GPUs; BAAI itself trained with 96"), // training.md §0.1
      setting("group_size", "8", "theirs"),
      setting("max_length", "1024", "theirs: 512 for the query and 512 for the passage, here for both together"),
      setting("bce_weight", "0", "theirs is cross-entropy over the group alone"),
      setting("dropout", "true", "theirs: that of the base"),
      setting("freeze_embeddings", "false", "theirs: all weights train"),
      setting("weight_decay", "0.01", "theirs"),
      setting("warmup_ratio", "0.1", "theirs; here never fewer than 20 steps, or a third of a shorter run"),
      setting("gradient_checkpointing", "true", "theirs; the same gradients with less memory"),
    ],
  },
  {
    name: "minilm-l6",
    base: "cross-encoder/ms-marco-MiniLM-L6-v2",
    license: "apache-2.0",
    languages: ["en"],
    hardware: "CPU, or any GPU",
    when: "English on CPUs, the fastest of these: 6 layers, 23 M parameters.",
    settings: [...SMALL_RERANKER, LENGTH_256],
  },
  {
    name: "minilm-l12",
    base: "cross-encoder/ms-marco-MiniLM-L12-v2",
    license: "apache-2.0",
    languages: ["en"],
    hardware: "CPU, or any GPU",
    when: "English on CPUs at half the speed of minilm-l6: 12 layers, 33 M parameters; try both, the verdict says which.",
    settings: [...SMALL_RERANKER, LENGTH_256],
  },
  {
    name: "bge-base",
    base: "BAAI/bge-reranker-base",
    license: "mit",
    languages: ["en", "zh"],
    hardware: "a GPU with 8 GB",
    when: "English and Chinese at half the size of bge-reranker-v2-m3: 278 M parameters, at most 512 tokens.",
    settings: [...LARGE_RERANKER, LENGTH_512],
  },
  {
    name: "gte-modernbert",
    base: "Alibaba-NLP/gte-reranker-modernbert-base",
    license: "apache-2.0",
    languages: ["en"],
    hardware: "a GPU with 8 GB",
    when: "English, with long passages: 149 M parameters, up to 8,192 tokens.",
    settings: [
      ...LARGE_RERANKER, // and Ettin's 150 M model, of the same architecture, took 1.5e-5 at 192 queries (training.md §10)
      setting("max_length", "512", "tokens of a pair, up to 8192; memory and time grow with it"),
    ],
  },
  {
    name: "multilingual-minilm",
    base: "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1",
    license: "apache-2.0",
    languages: [],
    hardware: "CPU, or any GPU",
    when: "Several languages on CPUs: 12 layers of hidden size 384, of its 118 M parameters 96 M are the vocabulary.",
    settings: [...SMALL_RERANKER, LENGTH_256],
  },
];
