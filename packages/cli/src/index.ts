export { ApiClient, type FeatureDetail, type FeatureSummary, type SwarmStatus } from "./api-client.ts";
export { watchFeatures } from "./watch-features.ts";
