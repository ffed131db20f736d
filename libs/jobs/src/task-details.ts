/** What a GA4GH TES task says that a job does not have: kept as it was sent, so that the task is shown as it was. */

export interface TaskDetails {
  readonly description?: string;
  /** By position, as many as the job has. */
  readonly inputs?: readonly TaskInputDetails[];
  readonly outputs?: readonly TaskReferenceDetails[];
  /** Members of tesResources, but for backend parameters that are not supported. */
  readonly resources?: TaskResources;
  /** For the system logs: what was asked for and is not done. */
  readonly warnings?: readonly string[];
}

export interface TaskReferenceDetails {
  readonly name?: string;
  readonly description?: string;
  /** As it was written, where the job has it in another spelling. */
  readonly url?: string;
}

export interface TaskInputDetails extends TaskReferenceDetails {
  readonly streamable?: boolean;
}

/** The names are those of TES 1.1. */
export interface TaskResources {
  readonly cpu_cores?: number;
  readonly ram_gb?: number;
  readonly disk_gb?: number;
  readonly preemptible?: boolean;
  readonly zones?: readonly string[];
  readonly backend_parameters?: Readonly<Record<string, string>>;
  readonly backend_parameters_strict?: boolean;
}
