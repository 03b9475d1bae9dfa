import { readFileSync } from "node:fs";

/** What is used of the JSON report of vitest. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    /** The test file's absolute path. */
    readonly name: string;
    readonly status: string;
    /** Why the file itself failed, such as an import that throws. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

export interface Failure {
  readonly file: string;
  /** Empty where the file failed outside its tests. */
  readonly test: string;
  readonly message: string;
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
}

/** Reads the report of a test step; null where the runner crashed before it wrote one. */
export function readReport(file: string): TestCounts | null {
  try {
    return countsOf(JSON.parse(readFileSync(file, "utf8")) as VitestReport);
  } catch {
    return null;
  }
}

export function countsOf(report: VitestReport): TestCounts {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests,
    failures: report.testResults
      .filter((file) => file.status === "failed")
      .flatMap((file) => {
        const tests = file.assertionResults.filter((test) => test.status === "failed");
        if (tests.length === 0) return [{ file: file.name, test: "", message: file.message }];
        return tests.map((test) => ({
          file: file.name,
          test: test.fullName,
          message: test.failureMessages?.join("\n") ?? "",
        }));
      }),
  };
}
