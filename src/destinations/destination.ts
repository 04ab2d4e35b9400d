// The contract of every place a version can be released to. A destination reads frozen blobs of the registry and nothing else.
import type { StageEvent } from "../events.js";
import type { FrozenVersion } from "../registry/index.js";

export interface DestinationContext {
  /** Environment variables: tokens and addresses come from here, never from the command line. */
  variables: NodeJS.ProcessEnv;
  signal: AbortSignal;
  emit(event: StageEvent): void;
  now(): Date;
  /** Every version of another model in the same registry, oldest first; none where there is no such model. */
  versionsOf?(name: string): Promise<FrozenVersion[]>;
}

/** What would be done, told before the first byte leaves. */
export interface ReleasePlan {
  /** As the user wrote it. */
  target: string;
  /** `name@sha256:<hex>`. */
  version: string;
  /** In the order in which they happen. */
  steps: readonly ReleaseStep[];
  /** Bytes that will be sent at most; what the other side has already is not sent again. */
  bytes: number;
  /** What the user should know before saying yes. */
  notes: readonly string[];
}

export interface ReleaseStep {
  /** A sentence without its full stop, such as `create the private repository org/name`. */
  does: string;
  bytes?: number;
}

/** What is there now. */
export interface Release {
  target: string;
  version: string;
  /** Where a person or a client finds it. */
  address: string;
  /** The other side's own name of what was released: a commit, a digest, a folder. */
  revision: string;
  files: number;
  bytes_sent: number;
  /** Commands that get exactly this version, pinned by commit or digest: tags and aliases can move. */
  use: readonly string[];
}

export interface PreparedRelease {
  plan: ReleasePlan;
  /** Does it. May be called again after a failure: what the other side has is not sent twice. */
  carryOut(): Promise<Release>;
}

/** One kind of place. */
export interface Destination {
  /** What stands before the first colon of `--to`. */
  scheme: string;
  /** How it is written, for messages. */
  form: string;
  /** One line for the help. */
  description: string;
  /**
   * Checks everything that can be checked before the first byte: names, rights, space, what is there already.
   * @param target `--to` as it was written, with its scheme.
   */
  prepare(target: string, version: FrozenVersion, context: DestinationContext): Promise<PreparedRelease>;
}
