import type { ContainerRuntimeClient } from "testcontainers";

/** testcontainers, loaded only when a test wants containers: loading it takes about a second. */
async function load() {
  const testcontainers = await import("testcontainers");
  const client = await testcontainers.getContainerRuntimeClient();
  // The reaper removes the containers of killed test runs. Without its image the suites remove their own containers.
  const reapers = await client.container.dockerode.listImages({
    filters: { reference: ["testcontainers/ryuk"] },
  });
  if (reapers.length === 0) process.env["TESTCONTAINERS_RYUK_DISABLED"] ??= "true";
  return { ...testcontainers, client };
}

export type Containers = Awaited<ReturnType<typeof load>>;

/** testcontainers, or null where Docker does not answer; then prints `consequence`, so that nothing is left out silently. */
export async function findContainers(consequence: string): Promise<Containers | null> {
  try {
    return await load();
  } catch (error) {
    console.warn(`Docker does not answer here (${(error as Error).message}): ${consequence}`);
    return null;
  }
}

/** Whether Docker has an image or can pull it; prints `consequence` otherwise. */
export async function hasImage(
  { client, ImageName }: { client: ContainerRuntimeClient; ImageName: Containers["ImageName"] },
  image: string,
  consequence: string,
): Promise<boolean> {
  const name = ImageName.fromString(image);
  if (await client.image.exists(name)) return true;
  try {
    await client.image.pull(name);
    return true;
  } catch (error) {
    console.warn(`Docker cannot pull ${image} here (${(error as Error).message}): ${consequence}`);
    return false;
  }
}
