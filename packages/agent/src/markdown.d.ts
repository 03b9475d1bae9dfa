/** esbuild bundles the prompts into the agent's file as text. */
declare module "*.md" {
  const text: string;
  export default text;
}
