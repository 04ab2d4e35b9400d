// Messages between the scorer and its child process. Types only, so that the child loads nothing of ours at run time.

export type Provider = "cpu" | "cuda";

export interface OpenRequest {
  type: "open";
  /** File of onnxruntime-node to load; the parent found it. */
  runtimeEntry: string;
  modelFile: string;
  provider: Provider;
  /** 0 leaves the choice to ONNX Runtime: one a physical core. */
  threads: number;
  /** Start of the path of a profile to write; scoring is slower meanwhile. */
  profilePrefix?: string;
}

/** Ends the profile that the opening began. */
export interface ProfileRequest {
  type: "profile";
  id: number;
}

/** One batch: rows of token ids one after another, without padding. */
export interface RunRequest {
  type: "run";
  id: number;
  ids: Int32Array;
  typeIds: Uint8Array;
  /** Tokens of each row. */
  lengths: Int32Array;
  /** Columns of the batch, at least the longest row. */
  width: number;
  padId: number;
}

/** How token vectors become one vector: the mean over the real tokens, or the first token's. */
export type Pooling = "mean" | "cls";

/** One batch of single texts for an embedding model; rows as in `RunRequest`. */
export interface EmbedRequest extends Omit<RunRequest, "type"> {
  type: "embed";
  pooling: Pooling;
}

export type Request = OpenRequest | RunRequest | EmbedRequest | ProfileRequest;

export interface Opened {
  type: "opened";
  inputs: readonly string[];
  /** Milliseconds from the load of the library to a ready session. */
  loadMs: number;
  memoryBytes: number;
}

export interface Scored {
  type: "scored";
  id: number;
  /** One raw logit a row. */
  scores: Float32Array;
  /** Milliseconds inside ONNX Runtime. */
  runMs: number;
  /** Highest resident memory of the process so far. */
  memoryBytes: number;
}

export interface Embedded {
  type: "embedded";
  id: number;
  /** One unit vector a row, one after another. */
  vectors: Float32Array;
  /** Numbers of a vector. */
  dimensions: number;
  /** Milliseconds inside ONNX Runtime. */
  runMs: number;
  memoryBytes: number;
}

/** The profile is written. */
export interface Profiled {
  type: "profiled";
  id: number;
}

export interface Failed {
  type: "failed";
  /** Absent when opening failed. */
  id?: number;
  message: string;
}

export type Reply = Opened | Scored | Embedded | Profiled | Failed;
