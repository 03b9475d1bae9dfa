import { subjectOf, type DomainEvent, type EventType, type FeatureStatus } from "@agentswarm/contracts";
import { liveAttempt } from "./live-attempt.ts";
import { decisionIdOf, placeOf, projectDecision, type DecisionPlace } from "./project-decision.ts";
import { projectFeature } from "./project-feature.ts";
import { projectRepo, projectTotals } from "./project-swarm.ts";
import { projectTask } from "./project-task.ts";
import type { DocumentKind } from "./view-keys.ts";
import { NO_NOTES_YET, notesDocumentsOf, projectNotes } from "./project-notes.ts";
import type { DecisionView, FeatureView, NotesView, RepoView, TaskView, Totals } from "./views.ts";

/** What each kind of document holds. */
export interface DocumentValues {
  features: FeatureView;
  tasks: TaskView;
  decisions: DecisionView;
  notes: NotesView;
  repos: RepoView;
  swarm: Totals;
  early: DomainEvent[];
}

/** A document as it was read. An unreadable one is left as it is. */
export interface Loaded<T> {
  readonly value: T | null;
  /** 0 for a document that does not exist. */
  readonly version: number;
  readonly unreadable?: boolean;
}

export type LoadedViews = { readonly [K in DocumentKind]: ReadonlyMap<string, Loaded<DocumentValues[K]>> };

/** One document to write, if its version is still the one that was read. */
export type DocumentChange = {
  [K in DocumentKind]: { kind: K; id: string; version: number; value: DocumentValues[K] | null };
}[DocumentKind];

/** A change of an index or counter. */
export type IndexChange =
  /** `to` is null for a feature that is removed. */
  | { kind: "feature"; id: string; createdAt: number; from: FeatureStatus | null; to: FeatureStatus | null }
  | { kind: "task"; id: string; featureId: string; at: number; removed?: true }
  /** `from` is null for a new decision, `to` for one that is removed. */
  | { kind: "decision"; from: DecisionPlace | null; to: DecisionPlace | null }
  | { kind: "live"; taskId: string; attempt: number | null }
  | { kind: "landed"; eventId: string; at: number }
  | { kind: "conflict"; repoId: string; path: string };

export interface ViewChanges {
  readonly documents: readonly DocumentChange[];
  readonly indexes: readonly IndexChange[];
}

/** The key of the swarm's one document. */
export const SWARM = "swarm";
/**
 * Events that wait for one feature or task: at most these, and together at most this long as JSON. After a kill, all that
 * the api had taken from the queue comes behind what it takes next, so some hundred may have to wait.
 */
const EARLY_EVENTS = 1_000;
const EARLY_CHARS = 1_000_000;

/** The events that change a feature, or a task, that is known. */
const OF_FEATURES: ReadonlySet<EventType> = new Set([
  "feature.changed",
  "budget.reached",
  "model.used",
  "message.dead-lettered",
]);
const OF_TASKS: ReadonlySet<EventType> = new Set([
  "task.changed",
  "attempt.started",
  "attempt.ended",
  "landing.landed",
  "landing.conflicted",
  "landing.rejected",
  "landing.held",
  "model.used",
]);

/** The ids of the documents that an event may change. */
export function documentsOf(event: DomainEvent): Partial<Record<DocumentKind, string[]>> {
  const { featureId, taskId, repoId } = subjectOf(event);
  const features = featureId === undefined ? [] : [featureId];
  const tasks = taskId === undefined ? [] : [taskId];
  const early = [...features.map(earlyOfFeature), ...tasks.map(earlyOfTask)];
  const decisionId = decisionIdOf(event);
  const decisions = decisionId === null ? [] : [decisionId];
  const repos = repoId === undefined ? [] : [repoId];
  const notes = notesDocumentsOf(event);
  return { features, tasks, decisions, notes, early, repos, swarm: [SWARM] };
}

const earlyOfFeature = (id: string) => `feature/${id}`;
const earlyOfTask = (id: string) => `task/${id}`;

/**
 * The changes that a batch of events makes to the views. `events` holds no event that was taken in before. An event that
 * cannot be projected changes no view, and `report` gets the error: it is a bug, and one event must not hold up others.
 */
export function projectBatch(
  loaded: LoadedViews,
  events: readonly DomainEvent[],
  report: (error: unknown, event: DomainEvent) => void,
): ViewChanges {
  const work = openWork(loaded);
  const indexes: IndexChange[] = [];
  for (const event of events) {
    try {
      indexes.push(...projectOne(work, event));
    } catch (error) {
      report(error, event);
    }
  }
  boundEarly(work);
  const derived = [...statusChanges(work), ...decisionChanges(work), ...liveChanges(work)];
  return { documents: work.changes(), indexes: [...indexes, ...derived] };
}

function projectOne(work: Work, event: DomainEvent): IndexChange[] {
  const { featureId, taskId, repoId } = subjectOf(event);
  const indexes: IndexChange[] = [];
  if (featureId !== undefined) {
    const early = earlyOfFeature(featureId);
    const subject = { kind: "features", id: featureId, early, concerns: OF_FEATURES } as const;
    projectSubject(work, subject, event, projectFeature);
  }
  if (taskId !== undefined) {
    const isNew = work.get("tasks", taskId) === null;
    const subject = { kind: "tasks", id: taskId, early: earlyOfTask(taskId), concerns: OF_TASKS } as const;
    projectSubject(work, subject, event, projectTask);
    if (isNew && featureId !== undefined && work.get("tasks", taskId) !== null)
      indexes.push({ kind: "task", id: taskId, featureId, at: event.at });
  }
  const decisionId = decisionIdOf(event);
  if (decisionId !== null)
    work.set("decisions", decisionId, projectDecision(work.get("decisions", decisionId), event));
  for (const id of notesDocumentsOf(event))
    work.set("notes", id, projectNotes(work.get("notes", id) ?? NO_NOTES_YET, event));
  if (repoId !== undefined) work.set("repos", repoId, projectRepo(work.get("repos", repoId), event));
  work.set("swarm", SWARM, projectTotals(work.get("swarm", SWARM), event));
  if (event.type === "landing.landed" && event.data.kind === "landed")
    indexes.push({ kind: "landed", eventId: event.id, at: event.at });
  if (event.type === "landing.conflicted") {
    for (const { path } of event.data.paths)
      indexes.push({ kind: "conflict", repoId: event.repoId, path: path.slice(0, 1_000) });
  }
  return indexes;
}

/** Projects an event onto its feature or task. One that comes before its subject waits, and is projected behind it. */
function projectSubject<K extends "features" | "tasks">(
  work: Work,
  { kind, id, early, concerns }: { kind: K; id: string; early: string; concerns: ReadonlySet<EventType> },
  event: DomainEvent,
  project: (view: DocumentValues[K] | null, event: DomainEvent) => DocumentValues[K] | null,
): void {
  if (work.isUnreadable(kind, id)) return;
  const before = work.get(kind, id);
  const after = project(before, event);
  if (after === null) {
    if (!concerns.has(event.type)) return;
    work.set("early", early, [...(work.get("early", early) ?? []), event]);
    // Another api may project the subject's first event now, and would not look for this one again.
    work.claim(kind, id);
    return;
  }
  if (before === null) work.claim("early", early);
  const waiting = before === null ? (work.get("early", early) ?? []) : [];
  if (waiting.length > 0) work.set("early", early, null);
  work.set(
    kind,
    id,
    waiting.reduce<DocumentValues[K]>((view, one) => project(view, one) ?? view, after),
  );
}

/** Drops the newest of the waiting events where there are too many. */
function boundEarly(work: Work): void {
  for (const [id, , waiting] of work.changed("early")) {
    if (waiting !== null) work.set("early", id, withinBounds(waiting));
  }
}

function withinBounds(waiting: DomainEvent[]): DomainEvent[] {
  let chars = 0;
  const end = waiting.findIndex((event, nth) => {
    chars += JSON.stringify(event).length;
    return nth >= EARLY_EVENTS || chars > EARLY_CHARS;
  });
  return end === -1 ? waiting : waiting.slice(0, end);
}

function statusChanges(work: Work): IndexChange[] {
  return work.changed("features").flatMap(([id, before, after]): IndexChange[] => {
    if (after === null || before?.status === after.status) return [];
    const { createdAt, status } = after;
    return [{ kind: "feature", id, createdAt, from: before?.status ?? null, to: status }];
  });
}

function decisionChanges(work: Work): IndexChange[] {
  return work.changed("decisions").flatMap(([, before, after]): IndexChange[] => {
    const from = before && placeOf(before);
    const to = after && placeOf(after);
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ kind: "decision", from, to }];
  });
}

function liveChanges(work: Work): IndexChange[] {
  return work.changed("tasks").flatMap(([taskId, before, after]): IndexChange[] => {
    const attempt = liveAttempt(after);
    return liveAttempt(before) === attempt ? [] : [{ kind: "live", taskId, attempt }];
  });
}

/** The documents while a batch is projected onto them. */
interface Work {
  get<K extends DocumentKind>(kind: K, id: string): DocumentValues[K] | null;
  set<K extends DocumentKind>(kind: K, id: string, value: DocumentValues[K] | null): void;
  /** Writes the document even when nothing changes it, so that the commit fails when another api has changed it. */
  claim(kind: DocumentKind, id: string): void;
  isUnreadable(kind: DocumentKind, id: string): boolean;
  /** The documents of a kind that are not what they were, before and after the batch. */
  changed<K extends DocumentKind>(
    kind: K,
  ): [id: string, before: DocumentValues[K] | null, after: DocumentValues[K] | null][];
  changes(): DocumentChange[];
}

function openWork(loaded: LoadedViews): Work {
  const written: { [K in DocumentKind]: Map<string, DocumentValues[K] | null> } = {
    features: new Map(),
    tasks: new Map(),
    decisions: new Map(),
    notes: new Map(),
    repos: new Map(),
    swarm: new Map(),
    early: new Map(),
  };
  const kinds = Object.keys(written) as DocumentKind[];
  const work: Work = {
    get: (kind, id) =>
      written[kind].has(id) ? (written[kind].get(id) ?? null) : (loaded[kind].get(id)?.value ?? null),
    set(kind, id, value) {
      if (loaded[kind].get(id)?.unreadable === true || work.get(kind, id) === value) return;
      written[kind].set(id, value);
    },
    claim<K extends DocumentKind>(kind: K, id: string) {
      if (loaded[kind].get(id)?.unreadable !== true) written[kind].set(id, work.get(kind, id));
    },
    isUnreadable: (kind, id) => loaded[kind].get(id)?.unreadable === true,
    changed: (kind) =>
      [...written[kind]].map(([id, after]) => [id, loaded[kind].get(id)?.value ?? null, after]),
    changes: () =>
      kinds.flatMap((kind) =>
        [...written[kind]].map(([id, value]) => {
          const version = loaded[kind].get(id)?.version ?? 0;
          return { kind, id, version, value } as DocumentChange;
        }),
      ),
  };
  return work;
}
