/**
 * Reads `host:port`, `[v6]:port` and `redis://`, `rediss://`, `dragonfly://` URLs. Pure. What is wrong is said without repeating any of
 * the text: a malformed URL may hold its password anywhere.
 */
export type ServerAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** True when the scheme asks for TLS; undefined leaves it to the `tls` keys. */
  readonly tls: true | undefined;
};

export type AddressResult = { readonly address: ServerAddress } | { readonly problem: string };

const SCHEMES: Readonly<Record<string, true | undefined>> = { redis: undefined, rediss: true, dragonfly: undefined };
const HOST_PORT = "allowed: host:port, [IPv6]:port, or a URL like redis://host:port";

type HostPort = { readonly host: string; readonly port: number } | { readonly problem: string };

function parseHostPort(text: string): HostPort {
  const v6 = /^\[([0-9A-Fa-f:.%a-z]*)\](?::(.*))?$/.exec(text);
  if (v6 === null && text.split(":").length > 2) {
    return { problem: "has more than one colon; put an IPv6 address in brackets, like [::1]:6379" };
  }
  const plain = v6 === null ? /^([^:]*)(?::(.*))?$/.exec(text) : v6;
  const host = plain?.[1] ?? "";
  const portText = plain?.[2];
  if (v6 === null ? !/^[A-Za-z0-9_](?:[A-Za-z0-9._-]*)$/.test(host) : !host.includes(":")) {
    return { problem: `the host is missing or not a host name; ${HOST_PORT}` };
  }
  if (portText === undefined || portText === "") return { problem: `the port is missing; ${HOST_PORT}` };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return { problem: "the port is not a whole number from 1 to 65535" };
  return { host, port };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

type UserInfo =
  | { readonly user: string | undefined; readonly password: string | undefined }
  | { readonly problem: string };

function parseUserInfo(text: string): UserInfo {
  const colon = text.indexOf(":");
  if (colon < 0) {
    return { problem: "the part before @ has no colon; allowed: user:password@ or :password@ (the default user)" };
  }
  const user = decode(text.slice(0, colon));
  const password = decode(text.slice(colon + 1));
  if (user === undefined || password === undefined) {
    return { problem: "user or password holds a % that is not an escape; write a % as %25" };
  }
  if (password === "" && user !== "") return { problem: "the URL has a user and an empty password" };
  return { user: user === "" ? undefined : user, password: password === "" ? undefined : password };
}

function rejectTail(tail: string): string | undefined {
  if (tail.includes("?")) return "query parameters are not supported; use the keys user, password and tls";
  if (tail.includes("#")) return "the URL holds a #; in a password write it as %23";
  if (tail === "" || tail === "/" || tail === "/0") return undefined;
  if (/^\/\d+$/.test(tail))
    return "a database number has no meaning here, because all databases are copied; leave it out";
  return "the URL has a path; in a password write / as %2F";
}

/** Reads an address or a URL; never throws. */
export function parseServerAddress(text: string): AddressResult {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text);
  if (scheme === null) return parsePlain(text);
  const name = (scheme[1] ?? "").toLowerCase();
  if (!Object.hasOwn(SCHEMES, name))
    return { problem: "the URL's scheme is not known; allowed: redis://, rediss://, dragonfly://" };
  return parseUrlRest(text.slice(scheme[0].length), SCHEMES[name]);
}

function parsePlain(text: string): AddressResult {
  if (text.trim() === "") return { problem: `is empty; ${HOST_PORT}` };
  if (text.includes("@") || text.includes("/")) return { problem: `is neither an address nor a URL; ${HOST_PORT}` };
  const place = parseHostPort(text);
  return "problem" in place ? place : { address: { ...place, user: undefined, password: undefined, tls: undefined } };
}

function parseUrlRest(rest: string, tls: true | undefined): AddressResult {
  const at = rest.lastIndexOf("@");
  const info: UserInfo = at < 0 ? { user: undefined, password: undefined } : parseUserInfo(rest.slice(0, at));
  const [, hostPort = "", tail = ""] = /^([^/?#]*)(.*)$/s.exec(rest.slice(at + 1)) ?? [];
  const problem = rejectTail(tail);
  if (problem !== undefined) return { problem };
  if ("problem" in info) return info;
  if (/[/?#@\s]/.test(at < 0 ? "" : rest.slice(0, at))) {
    return {
      problem: "user or password holds a character that a URL must escape (/ ? # @ or a space): %2F %3F %23 %40 %20",
    };
  }
  const place = parseHostPort(hostPort);
  return "problem" in place ? place : { address: { ...place, ...info, tls } };
}
