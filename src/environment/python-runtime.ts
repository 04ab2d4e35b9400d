// What a Python environment is to those who start processes in it, and how many they start.

/** Says where a job runs and not what it is: no part of a recipe or of an artifact's key. */
export interface Launch {
  /** On this machine. */
  processes: number;
  /** Machines. */
  nodes: number;
  /** This machine's number; 0 leads, keeps every result, and is where `rendezvous` listens. */
  nodeRank: number;
  /** HOST:PORT of machine 0; needed for more than one. */
  rendezvous?: string;
}

/** A ready Python environment. */
export interface PythonRuntime {
  executable: string;
  /** Absolute path of worker.py. */
  worker: string;
  /** Variables added to the child's environment. */
  variables: Record<string, string>;
  /** Several processes for the jobs that train; one when left out. */
  launch?: Launch;
}
