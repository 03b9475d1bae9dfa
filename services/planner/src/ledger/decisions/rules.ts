/** How people are asked, from the planner's settings. */
export interface DecisionRules {
  /** Milliseconds until a decision is due; null: it waits without an end. */
  readonly waitMs: number | null;
  /** What a time-out does to landings and plans. */
  readonly onTimeout: "hold" | "refuse";
  /** Persons who must approve a landing. */
  readonly approvals: number;
  /** Whether who asked for a feature may not approve its landings and plans. */
  readonly fourEyes: boolean;
  /** Plans of so many tasks and more wait for an approval; 0: none does. */
  readonly planFromTasks: number;
  /** Whether people are asked when a feature's budget is used up. */
  readonly budgets: boolean;
}
