import { lookup as resolve, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

const PRIVATE = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["fc00::", 7],
  ["ff00::", 8],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv6");

/** Also where clouds serve a machine's credentials. No registry is there, whatever its name resolves to. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet("169.254.0.0", 16, "ipv4");
LINK_LOCAL.addSubnet("fe80::", 10, "ipv6");

/** Why no connection is made to the address of a registry; null when it may be made. */
export function refuseAddress(address: string, isNamed: boolean): string | null {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (LINK_LOCAL.check(address, family)) return `${address} is a link-local address`;
  if (!isNamed && PRIVATE.check(address, family))
    return `${address} is a private address: name the registry in the .npmrc of the user who runs the service`;
  return null;
}

/**
 * Resolves a host name once for each connection, which is then made to the address that was examined. `isNamed`: the
 * operator named the registry, so its address may be private.
 */
export function pinnedLookup(isNamed: boolean): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...(options as LookupOptions), all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = (addresses ?? []).filter(({ address }) => refuseAddress(address, isNamed) === null);
      const [first] = allowed;
      if (error !== null || first === undefined) {
        const [refused] = addresses ?? [];
        const why =
          refused === undefined ? `no address of ${hostname}` : refuseAddress(refused.address, isNamed);
        done(error ?? Object.assign(new Error(`${hostname}: ${why}`), { code: "EREFUSED" }), "", 4);
      } else if ((options as LookupOptions).all) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}
