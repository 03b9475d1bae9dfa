/** Prompts are bundled into the agent's one file as text. */
declare module "*.md" {
  const text: string;
  export default text;
}
