export { freePort } from "../../tools/local/free-port.ts";
