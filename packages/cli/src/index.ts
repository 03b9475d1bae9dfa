export { watchFeatures } from "./watch-features.ts";
