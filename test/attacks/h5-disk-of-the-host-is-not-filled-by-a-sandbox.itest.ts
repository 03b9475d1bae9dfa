import { describe, expect, test, type TestContext } from "vitest";
import { isRoot, runAsOrdinaryUser, runAsThisUser, type Attacked } from "../support/run-as-user.ts";

const MIB = 1024 ** 2;
const SECONDS = 12_000;

describe.each([
  { who: "an ordinary user", run: runAsOrdinaryUser },
  ...(isRoot ? [{ who: "root", run: runAsThisUser }] : []),
])("with a limit of 64 MiB, for $who", ({ run }) => {
  const attack = async (script: string, { skip }: Pick<TestContext, "skip">): Promise<Attacked> => {
    const argv = JSON.stringify(["sh", "-c", script]);
    const ran = await run<Attacked>(`await attack({ diskBytes: ${64 * MIB} }, ${argv})`);
    if (typeof ran === "string") return skip(`no sandbox can be opened here: ${ran}`);
    return ran.result;
  };
  const fill =
    "i=0; while [ $i -lt 12 ]; do head -c 12M /dev/zero > $i; i=$((i+1)); done; sleep 14; echo unbounded";

  test("a sandbox that fills its work folder is ended", async (context) => {
    const { reached, outputTail, tookMs } = await attack(fill, context);
    expect(reached).toBe("diskBytes");
    expect(outputTail).not.toContain("unbounded");
    expect(tookMs).toBeLessThan(SECONDS);
  });

  test("a folder that is closed hides nothing", async (context) => {
    expect(
      (
        await attack(
          `mkdir d; cd d; chmod 000 .; cd /work; mkdir e; cd e; ${fill.replace("sleep", "chmod 000 /work/e; sleep")}`,
          context,
        )
      ).reached,
    ).toBe("diskBytes");
  });

  test("removed files that are still open count", async (context) => {
    const script =
      'for i in 3 4 5 6 7 8; do eval "exec $i>f; head -c 12M /dev/zero >&$i"; rm f; done; sleep 14; echo unbounded';
    expect((await attack(script, context)).reached).toBe("diskBytes");
  });

  test("one file does not grow beyond the limit at all", async (context) => {
    const { outputTail } = await attack(
      "exec 2>&1; (head -c 200M /dev/zero > big); stat -c %s big; exit 0",
      context,
    );
    expect(Number(outputTail.trim().split("\n").at(-1))).toBeLessThanOrEqual(64 * MIB);
  });

  test("work within the limit goes on", async (context) => {
    const script =
      "i=0; while [ $i -lt 6 ]; do head -c 30M /dev/zero > x; rm x; i=$((i+1)); sleep 0.5; done; echo done";
    expect(await attack(script, context)).toMatchObject({ reached: null, outputTail: "done\n" });
  });
});
